import { randomBytes } from 'node:crypto'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { RecordEnvelope } from '@libp2p/peer-record'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import {
  type Domain,
  domains,
  openEnvelope,
  openEnvelopeAsync,
  seal
} from '../../../../src/registry/objects/envelope.ts'
import { Envelope } from '../../../../src/registry/pb/registry.ts'
import { InvalidEnvelopeError } from '../../../../src/runtime/errors.ts'
import { bytesOf, keyOf } from '../../../helpers/signed-objects.ts'

const domain = domains.nodeRecord
const key = keyOf(1)
const payload = randomBytes(60)
const sealed = seal(domain, payload, key)

/** What libp2p's own implementation needs of a record. */
const libp2pRecord = (of: Domain, bytes: Uint8Array) => ({
  domain: of.domain,
  codec: of.payloadType,
  marshal: () => bytes,
  equals: () => false
})

describe('envelope', () => {
  it('gives back signer, payload, bytes and the hash of the payload', () => {
    const opened = openEnvelope(domain, sealed)
    expect(opened.signer).toEqual(key.publicKey)
    expect(Buffer.from(opened.payload)).toEqual(payload)
    expect(opened.bytes).toEqual(sealed)
    expect(opened.hash).toEqual(sha256(payload))
  })

  it('is the same bytes as libp2p makes, and each opens what the other sealed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), bytesOf(32), async (bytes, seed) => {
        const signer = keyOf(seed[0] ?? 0)
        const theirs = await RecordEnvelope.seal(libp2pRecord(domain, bytes), signer.toLibp2p())
        expect(seal(domain, bytes, signer)).toEqual(theirs.marshal())
        const opened = await RecordEnvelope.openAndCertify(seal(domain, bytes, signer), domain.domain)
        expect(opened.payload).toEqual(bytes)
        expect(openEnvelope(domain, theirs.marshal()).payload).toEqual(bytes)
      }),
      { numRuns: 30 }
    )
  })

  it('refuses every single flipped bit', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => openEnvelope(domain, flipped)).toThrow(InvalidEnvelopeError)
    }
  })

  it('refuses every cut, and bytes added anywhere', () => {
    for (let end = 0; end < sealed.length; end++) {
      expect(() => openEnvelope(domain, sealed.subarray(0, end))).toThrow(InvalidEnvelopeError)
    }
    fc.assert(
      fc.property(fc.nat(sealed.length), fc.uint8Array({ minLength: 1, maxLength: 40 }), (at, added) => {
        const longer = Buffer.concat([sealed.subarray(0, at), added, sealed.subarray(at)])
        expect(() => openEnvelope(domain, longer)).toThrow(InvalidEnvelopeError)
      })
    )
  })

  it('refuses every cut of one whose payload has a length of two bytes', () => {
    const long = seal(domain, new Uint8Array(300), key)
    for (let end = 0; end < long.length; end++) {
      expect(() => openEnvelope(domain, long.subarray(0, end))).toThrow(InvalidEnvelopeError)
    }
  })

  it('throws nothing but InvalidEnvelopeError for whatever bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (bytes) => {
        expect(() => openEnvelope(domain, bytes)).toThrow(InvalidEnvelopeError)
      }),
      { numRuns: 1000 }
    )
  })

  it('refuses every kind where another one is expected, also under the expected type', () => {
    const all = Object.values(domains)
    for (const made of all) {
      const bytes = seal(made, payload, key)
      expect(Buffer.from(openEnvelope(made, bytes).payload)).toEqual(payload)
      for (const expected of all.filter((each) => each !== made)) {
        expect(() => openEnvelope(expected, bytes)).toThrow('signed for another purpose')
        const disguised = Envelope.encode({ ...Envelope.decode(bytes), payloadType: expected.payloadType })
        expect(() => openEnvelope(expected, disguised)).toThrow('signature')
      }
    }
  })

  it('refuses what is too large before it looks inside', () => {
    expect(() => openEnvelope(domain, new Uint8Array(domain.maxBytes + 1))).toThrow('at most 1024 are allowed')
    expect(() => openEnvelope(domain, sealed, sealed.length - 1)).toThrow(`at most ${sealed.length - 1} are allowed`)
    expect(() => seal(domain, new Uint8Array(1000), key)).toThrow('at most 1024 are allowed')
  })

  it('refuses keys of other types', async () => {
    for (const type of ['secp256k1', 'ECDSA'] as const) {
      const other = await generateKeyPair(type)
      const envelope = await RecordEnvelope.seal(libp2pRecord(domain, payload), other)
      expect(() => openEnvelope(domain, envelope.marshal())).toThrow('not signed with an Ed25519 key')
    }
  })

  it('refuses a signature of another length', () => {
    const envelope = Envelope.decode(sealed)
    for (const length of [0, 63, 65]) {
      const bytes = Envelope.encode({ ...envelope, signature: new Uint8Array(length) })
      expect(() => openEnvelope(domain, bytes)).toThrow('no Ed25519 signature')
    }
  })

  it('refuses a signature by another key than the named one', () => {
    const publicKey = publicKeyToProtobuf(keyOf(2).toLibp2p().publicKey)
    const bytes = Envelope.encode({ ...Envelope.decode(sealed), publicKey })
    expect(() => openEnvelope(domain, bytes)).toThrow('the signature of the node-record is wrong')
  })

  it('judges the same in the thread pool', async () => {
    expect(await openEnvelopeAsync(domain, sealed)).toEqual(openEnvelope(domain, sealed))
    const wrong = sealed.slice()
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
    await expect(openEnvelopeAsync(domain, wrong)).rejects.toThrow(InvalidEnvelopeError)
    await expect(openEnvelopeAsync(domain, new Uint8Array(2000))).rejects.toThrow(InvalidEnvelopeError)
  })

  it('keeps its own copy of the bytes, whatever becomes of the given ones', async () => {
    const frame = Buffer.concat([randomBytes(100), sealed])
    const opening = openEnvelopeAsync(domain, frame.subarray(100))
    frame.fill(0)
    const opened = await opening
    expect(opened.bytes).toEqual(sealed)
    expect(opened.bytes.buffer.byteLength).toBe(sealed.length)
  })
})
