import { describe, expect, it } from 'vitest'
import { openEntry, sealEntry } from '../../../../src/registry/objects/entry.ts'
import { domains } from '../../../../src/registry/objects/envelope.ts'
import { openForgetRequest, sealForgetRequest } from '../../../../src/registry/objects/forget-request.ts'
import { openJoin } from '../../../../src/registry/objects/join.ts'
import { openRecord, openRecordAsync, sealRecord } from '../../../../src/registry/objects/record.ts'
import { openRenewRequest, sealRenewRequest } from '../../../../src/registry/objects/renew-request.ts'
import { openRotateRequest, openRotation, sealRotateRequest } from '../../../../src/registry/objects/rotate.ts'
import { openStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import {
  ForgetRequest,
  JoinRequest,
  NodeRecord,
  RenewRequest,
  StoreManifest
} from '../../../../src/registry/pb/registry.ts'
import { InvalidEnvelopeError } from '../../../../src/runtime/errors.ts'
import { anEntry, aRecord, craft, keyOf, networkId, verdict } from '../../../helpers/signed-objects.ts'

const parties = [keyOf(1), keyOf(2), keyOf(3)]
const pairs = parties.flatMap((subject) => parties.map((signer) => ({ subject, signer })))
/** Subject of the payload, signer of the envelope and remote key of the connection: all 27 ways. */
const triples = pairs.flatMap((pair) => parties.map((remote) => ({ ...pair, remote })))

/** True when it opens; every refusal must be the one for a wrong signer. */
function isOpened(open: () => unknown): boolean {
  const answer = verdict(open)
  if (answer !== 'opened' && answer !== 'InvalidEnvelopeError') throw new Error(`refused with ${answer}`)
  return answer === 'opened'
}

const header = { version: 1, networkId }
/** CID of a folder. */
const root = Uint8Array.of(1, 0x70, 0x12, 32, ...networkId)

describe.each([
  {
    what: 'node record',
    open: openRecord,
    made: (publicKey: Uint8Array) => ({ ...header, publicKey, seq: 1 }),
    domain: domains.nodeRecord,
    codec: NodeRecord
  },
  {
    what: 'join request',
    open: openJoin,
    made: (publicKey: Uint8Array) => ({ ...header, publicKey, name: 'alpha', role: 3 }),
    domain: domains.join,
    codec: JoinRequest
  },
  {
    what: 'renew request',
    open: openRenewRequest,
    made: (publicKey: Uint8Array) => ({ ...header, publicKey, notAfterMs: 1 }),
    domain: domains.renew,
    codec: RenewRequest
  },
  {
    what: 'forget request',
    open: openForgetRequest,
    made: (publicKey: Uint8Array) => ({ ...header, publicKey, membership: networkId }),
    domain: domains.forget,
    codec: ForgetRequest
  },
  {
    what: 'store manifest',
    open: openStoreManifest,
    made: (publicKey: Uint8Array) => ({ ...header, publicKey, seq: 1, name: 'music', root }),
    domain: domains.storeManifest,
    codec: StoreManifest
  }
])('$what', ({ open, made, domain, codec }) => {
  it('is accepted only when subject, signer and remote key are one', () => {
    const accepted = triples.filter(({ subject, signer, remote }) => {
      const bytes = craft(domain, codec, made(subject.publicKey), signer)
      return isOpened(() => open(bytes, networkId, { signer: remote.publicKey }))
    })
    expect(accepted).toEqual(parties.map((one) => ({ subject: one, signer: one, remote: one })))
  })

  it('is accepted from a carrier only when subject and signer are one', () => {
    const accepted = pairs.filter(({ subject, signer }) =>
      isOpened(() => open(craft(domain, codec, made(subject.publicKey), signer), networkId))
    )
    expect(accepted).toEqual(parties.map((one) => ({ subject: one, signer: one })))
  })
})

describe('sealing with another key', () => {
  it('is refused for everything that names its signer', async () => {
    const { publicKey } = keyOf(1)
    const wrong = keyOf(2)
    expect(() => sealRecord({ ...aRecord, publicKey }, wrong)).toThrow(InvalidEnvelopeError)
    expect(() => sealRenewRequest({ networkId, publicKey, notAfterMs: 1 }, wrong)).toThrow(InvalidEnvelopeError)
    expect(() => sealForgetRequest({ networkId, publicKey, membership: networkId }, wrong)).toThrow(
      InvalidEnvelopeError
    )
    const bytes = craft(domains.nodeRecord, NodeRecord, { ...header, publicKey, seq: 1 }, wrong)
    await expect(openRecordAsync(bytes, networkId)).rejects.toThrow(InvalidEnvelopeError)
  })
})

describe('authority entry', () => {
  it('is accepted only from the key that it reveals', () => {
    const body = { authorityKey: keyOf(2).publicKey, nextAuthorityDigest: networkId }
    const entry = { ...anEntry, kind: 'authority', body } as const
    expect(openEntry(sealEntry(entry, keyOf(2)).bytes, networkId).value).toEqual(entry)
    expect(() => sealEntry(entry, keyOf(1))).toThrow(InvalidEnvelopeError)
  })
})

describe('rotation', () => {
  const [oldKey, newKey, third] = [keyOf(1), keyOf(2), keyOf(3)]
  const request = { networkId, oldKey: oldKey.publicKey, newKey: newKey.publicKey }
  const byOld = sealRotateRequest(request, oldKey).bytes
  const byNew = sealRotateRequest(request, newKey).bytes
  const keys = { oldKey: oldKey.publicKey, newKey: newKey.publicKey }

  it('needs the same request signed by either key', () => {
    expect(openRotation({ ...keys, proofOld: byOld, proofNew: byNew }, networkId)).toEqual(request)
    expect(() => openRotation({ ...keys, proofOld: byOld, proofNew: byOld }, networkId)).toThrow(InvalidEnvelopeError)
    expect(() => openRotation({ ...keys, proofOld: byNew, proofNew: byNew }, networkId)).toThrow(InvalidEnvelopeError)
    expect(() => openRotation({ ...keys, proofOld: byNew, proofNew: byOld }, networkId)).toThrow(InvalidEnvelopeError)
  })

  it('is refused when the proofs are of other keys than the entry', () => {
    const proofOld = sealRotateRequest({ ...request, newKey: third.publicKey }, oldKey).bytes
    expect(() => openRotation({ ...keys, proofOld, proofNew: byNew }, networkId)).toThrow('other keys')
    const proofNew = sealRotateRequest({ ...request, oldKey: third.publicKey }, newKey).bytes
    expect(() => openRotation({ ...keys, proofOld: byOld, proofNew }, networkId)).toThrow('other keys')
  })

  it('is not signed by a third key', () => {
    expect(() => sealRotateRequest(request, third)).toThrow(InvalidEnvelopeError)
    expect(() => openRotateRequest(byOld, networkId, { signer: newKey.publicKey })).toThrow(InvalidEnvelopeError)
  })
})
