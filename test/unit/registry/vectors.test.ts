import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { memberAddress, ulaPrefix } from '../../../src/address/multiaddr.ts'
import { peerIdText, publicKeyOf, SigningKey } from '../../../src/identity/keys.ts'
import { networkFingerprint, networkIdText, parseNetworkId } from '../../../src/identity/network-id.ts'
import { openCheckpoint, sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { openEntry, sealEntry } from '../../../src/registry/objects/entry.ts'
import type { Signed } from '../../../src/registry/objects/envelope.ts'
import { openForgetRequest, sealForgetRequest } from '../../../src/registry/objects/forget-request.ts'
import { openGenesis, sealGenesis } from '../../../src/registry/objects/genesis.ts'
import { decodeInvite, encodeInvite } from '../../../src/registry/objects/invite.ts'
import { makeJoin, openJoin } from '../../../src/registry/objects/join.ts'
import { openOrder, sealOrder } from '../../../src/registry/objects/orders/order.ts'
import { openReceipt, sealReceipt } from '../../../src/registry/objects/receipt.ts'
import { openRecord, sealRecord } from '../../../src/registry/objects/record.ts'
import { openRenewRequest, sealRenewRequest } from '../../../src/registry/objects/renew-request.ts'
import { openRotateRequest, sealRotateRequest } from '../../../src/registry/objects/rotate.ts'
import { openStoreManifest, sealStoreManifest } from '../../../src/registry/objects/store-manifest.ts'
import { verdict } from '../../helpers/signed-objects.ts'

/** Bytes stand in the files as text: `hex:` and the digits. */
const revive = (_: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('hex:') ? fromString(value.slice(4), 'hex') : value

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/vectors/${name}.json`, import.meta.url), 'utf8'), revive)

const bytes = z.instanceof(Uint8Array)
// The value goes to the sealing function of its kind, which checks it itself.
const good = z.object({ name: z.string(), seed: bytes, value: z.custom<never>(), envelope: bytes, hash: bytes })
const bad = z.object({ name: z.string(), error: z.string(), envelope: bytes })
const vectors = z.object({
  kind: z.string(),
  networkId: bytes,
  good: z.array(good),
  newer: z.array(good),
  bad: z.array(bad)
})

type Seal = (value: never, key: SigningKey) => Signed<unknown>
type Open = (envelope: Uint8Array, networkId: Uint8Array) => Signed<unknown>

const kinds: [string, Seal, Open][] = [
  ['genesis', sealGenesis, openGenesis],
  ['log-entry', sealEntry, openEntry],
  ['checkpoint', sealCheckpoint, openCheckpoint],
  ['node-record', sealRecord, openRecord],
  ['receipt', sealReceipt, openReceipt],
  ['renew', sealRenewRequest, openRenewRequest],
  ['forget', sealForgetRequest, openForgetRequest],
  ['rotate', sealRotateRequest, openRotateRequest],
  ['order', sealOrder, openOrder],
  ['store', sealStoreManifest, openStoreManifest]
]

describe.each(kinds)('vectors of %s', (name, seal, open) => {
  const { networkId, ...file } = vectors.parse(read(name))

  it.each(file.good)('$name: sealed from its value it is the recorded bytes', ({ seed, value, envelope, hash }) => {
    const signed = seal(value, SigningKey.fromSeed(seed))
    expect(signed.bytes).toEqual(envelope)
    expect(signed.hash).toEqual(hash)
  })

  it.each(file.good)('$name: opened it is the recorded value', ({ seed, value, envelope, hash }) => {
    const signer = SigningKey.fromSeed(seed).publicKey
    expect(open(envelope, networkId)).toEqual({ value, signer, bytes: envelope, hash })
  })

  it.each(file.newer)('$name: opened it is the recorded value', ({ seed, value, envelope, hash }) => {
    const signer = SigningKey.fromSeed(seed).publicKey
    expect(open(envelope, networkId)).toEqual({ value, signer, bytes: envelope, hash })
  })

  it.each(file.bad)('$name: is refused', ({ error, envelope }) => {
    expect(verdict(() => open(envelope, networkId))).toBe(error)
  })
})

const joinValue = z.object({
  name: z.string(),
  role: z.enum(['root', 'secondary', 'integrated', 'external']),
  grantId: bytes.optional(),
  timeMs: z.number()
})

describe('vectors of join', () => {
  const { networkId, ...file } = vectors.parse(read('join'))
  const [invite] = invites()

  it.each([...file.good, ...file.newer])('$name: opened it is the recorded value', ({ value, envelope, hash }) => {
    expect(openJoin(envelope, networkId)).toMatchObject({ value, bytes: envelope, hash })
  })

  it.each(file.good)('$name: made again it is the recorded bytes', ({ seed, value, envelope }) => {
    const { name, role, grantId, timeMs } = joinValue.parse(value)
    const inviteKey = SigningKey.fromSeed(invite?.seed ?? new Uint8Array(32))
    const init = { networkId, key: SigningKey.fromSeed(seed), name, role, timeMs }
    expect(makeJoin(grantId === undefined ? init : { ...init, grant: { id: grantId }, inviteKey })).toEqual(envelope)
  })

  it.each(file.bad)('$name: is refused', ({ error, envelope }) => {
    expect(verdict(() => openJoin(envelope, networkId))).toBe(error)
  })
})

const inviteFile = z.object({
  good: z.array(
    z.object({
      line: z.string(),
      domain: z.string(),
      networkId: bytes,
      registryKey: bytes,
      addr: z.string(),
      grant: z.object({
        id: bytes,
        role: z.string(),
        name: z.string(),
        notAfterMs: z.number(),
        epoch: z.number(),
        n: z.number(),
        hash: bytes
      }),
      seed: bytes
    })
  ),
  bad: z.array(z.object({ name: z.string(), line: z.string(), message: z.string() }))
})

function invites(): z.infer<typeof inviteFile>['good'] {
  return inviteFile.parse(read('invite')).good
}

describe('vectors of invite lines', () => {
  it.each(invites())('leads both ways', ({ line, domain, networkId, registryKey, addr, grant, seed }) => {
    const decoded = decodeInvite(line)
    expect(decoded).toMatchObject({ domain, networkId, registries: [{ publicKey: registryKey, addrs: [addr] }] })
    expect(decoded.grant).toEqual(grant)
    expect(decoded.inviteKey.seed).toEqual(seed)
    expect(encodeInvite(decoded)).toBe(line)
  })

  it.each(inviteFile.parse(read('invite')).bad)('$name: is refused', ({ line, message }) => {
    expect(() => decodeInvite(line)).toThrow(message)
  })
})

const identities = z
  .array(
    z.object({
      seed: bytes,
      publicKey: bytes,
      peerId: z.string(),
      networkId: bytes,
      networkIdText: z.string(),
      fingerprint: z.string(),
      ulaPrefix: z.string(),
      memberAddress: z.string()
    })
  )
  .parse(read('identity'))

describe('vectors of keys, ids and own addresses', () => {
  it.each(identities)('$peerId', (vector) => {
    expect(SigningKey.fromSeed(vector.seed).publicKey).toEqual(vector.publicKey)
    expect(peerIdText(vector.publicKey)).toBe(vector.peerId)
    expect(publicKeyOf(vector.peerId)).toEqual(vector.publicKey)
    expect(networkIdText(vector.networkId)).toBe(vector.networkIdText)
    expect(parseNetworkId(vector.networkIdText)).toEqual(vector.networkId)
    expect(networkFingerprint(vector.networkId)).toBe(vector.fingerprint)
    expect(ulaPrefix(vector.networkId)).toBe(vector.ulaPrefix)
    expect(memberAddress(vector.networkId, vector.publicKey)).toBe(vector.memberAddress)
  })
})
