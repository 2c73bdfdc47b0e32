import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { afterAll, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { entryKindOf, openEntry } from '../../../../src/registry/objects/entry.ts'
import { type Domain, domains, openEnvelope, seal } from '../../../../src/registry/objects/envelope.ts'
import { openForgetRequest } from '../../../../src/registry/objects/forget-request.ts'
import { openGenesis } from '../../../../src/registry/objects/genesis.ts'
import { openJoin } from '../../../../src/registry/objects/join.ts'
import { openOrder } from '../../../../src/registry/objects/orders/order.ts'
import { openRecord } from '../../../../src/registry/objects/record.ts'
import { openRenewRequest } from '../../../../src/registry/objects/renew-request.ts'
import { openRotateRequest } from '../../../../src/registry/objects/rotate.ts'
import { openStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import * as messages from '../../../../src/registry/pb/registry.ts'
import { notKeys } from '../../../helpers/faults/not-keys.ts'

interface Codec {
  encode(message: object): Uint8Array
  decode(bytes: Uint8Array): Record<string, unknown>
}
interface Vector {
  name: string
  seed: string
  envelope: string
}
type Open = (bytes: Uint8Array, networkId: Uint8Array) => unknown

const hex = (text: string): Uint8Array => fromString(text.slice('hex:'.length), 'hex')
const codecs: Record<string, unknown> = messages

/** By file of vectors: how its objects are signed, and the message in them. */
const kinds: Record<string, { domain: Domain; message: string; open: Open }> = {
  genesis: { domain: domains.genesis, message: 'Genesis', open: openGenesis },
  'log-entry': { domain: domains.logEntry, message: 'LogEntry', open: openEntry },
  'node-record': { domain: domains.nodeRecord, message: 'NodeRecord', open: openRecord },
  join: { domain: domains.join, message: 'JoinRequest', open: openJoin },
  renew: { domain: domains.renew, message: 'RenewRequest', open: openRenewRequest },
  forget: { domain: domains.forget, message: 'ForgetRequest', open: openForgetRequest },
  rotate: { domain: domains.rotate, message: 'RotateRequest', open: openRotateRequest },
  order: { domain: domains.order, message: 'Order', open: openOrder },
  store: { domain: domains.storeManifest, message: 'StoreManifest', open: openStoreManifest }
}

/** Tried elsewhere: the signer of an envelope (vectors) and the registries of an invite line (invite.test.ts). */
const elsewhere = ['Envelope.publicKey', 'InviteRegistry.publicKey']
const tried = new Set<string>(elsewhere)

/** Each key field of the .proto: `Grant.inviteKey`. */
function keyFields(): string[] {
  const proto = readFileSync(new URL('../../../../src/registry/pb/registry.proto', import.meta.url), 'utf8')
  return [...proto.matchAll(/message (\w+) \{([^}]*)\}/g)].flatMap(([, message, body = '']) =>
    [...body.matchAll(/bytes (\w*Key) = /g)].map(([, field]) => `${message}.${field}`)
  )
}

const codecOf = (name: string): Codec => {
  const codec = codecs[name]
  if (typeof codec !== 'object' || codec === null) throw new Error(`there is no message ${name}`)
  return codec as Codec
}

/** The message with each of its keys in turn replaced by bytes that are none. */
function* withoutKey(name: string, bytes: Uint8Array): Generator<{ field: string; changed: Uint8Array }> {
  const codec = codecOf(name)
  const message = codec.decode(bytes)
  for (const [field, value] of Object.entries(message)) {
    if (!field.endsWith('Key') || !(value instanceof Uint8Array) || value.length === 0) continue
    tried.add(`${name}.${field}`)
    for (const { publicKey } of notKeys)
      yield { field: `${name}.${field}`, changed: codec.encode({ ...message, [field]: publicKey }) }
  }
}

/** Payloads of the object with one key that is none, in it or in the body of the entry that it is. */
function* broken(message: string, payload: Uint8Array): Generator<{ field: string; changed: Uint8Array }> {
  yield* withoutKey(message, payload)
  if (message !== 'LogEntry') return
  const entry = messages.LogEntry.decode(payload)
  const kind = entryKindOf(entry.kind)
  if (kind === undefined) return
  for (const { field, changed } of withoutKey(`${kind[0]?.toUpperCase()}${kind.slice(1)}`, entry.body)) {
    yield { field, changed: messages.LogEntry.encode({ ...entry, body: changed }) }
  }
}

describe.each(Object.keys(kinds))('a %s', (name) => {
  const kind = kinds[name]
  if (kind === undefined) throw new Error('there is no such kind')
  const file: { networkId: string; good: Vector[] } = JSON.parse(
    readFileSync(new URL(`../../../fixtures/vectors/${name}.json`, import.meta.url), 'utf8')
  )

  it.each(file.good)('$name: is refused with any key that is none', ({ seed, envelope }) => {
    const { payload } = openEnvelope(kind.domain, hex(envelope))
    for (const { field, changed } of broken(kind.message, payload)) {
      const bytes = seal(kind.domain, changed, SigningKey.fromSeed(hex(seed)))
      expect(() => kind.open(bytes, hex(file.networkId)), field).toThrow(/is no Ed25519 key/)
    }
  })
})

afterAll(() => {
  expect(
    keyFields().filter((field) => !tried.has(field)),
    'fields that nothing here tries'
  ).toEqual([])
})
