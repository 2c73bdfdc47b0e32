import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SigningKey } from '../../../../src/identity/keys.ts'
import { openCheckpoint, openCheckpointAsync, sealCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import { openEntry, openEntryAsync, sealEntry } from '../../../../src/registry/objects/entry.ts'
import { type Domain, domains, openEnvelope, type Signed, seal } from '../../../../src/registry/objects/envelope.ts'
import { openForgetRequest, sealForgetRequest } from '../../../../src/registry/objects/forget-request.ts'
import { openGenesis, sealGenesis } from '../../../../src/registry/objects/genesis.ts'
import { makeJoin, openJoin } from '../../../../src/registry/objects/join.ts'
import { openReceipt, sealReceipt } from '../../../../src/registry/objects/receipt.ts'
import { openRecord, openRecordAsync, sealRecord } from '../../../../src/registry/objects/record.ts'
import { openRenewRequest, sealRenewRequest } from '../../../../src/registry/objects/renew-request.ts'
import { openRotateRequest, sealRotateRequest } from '../../../../src/registry/objects/rotate.ts'
import { openStoreManifest, sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { InvalidPayloadError, UnsupportedVersionError, WrongNetworkError } from '../../../../src/runtime/errors.ts'
import {
  aGenesis,
  aGrant,
  anEntry,
  anyEntry,
  anyHash,
  anyName,
  anyRecord,
  anyRole,
  anyTime,
  aRecord,
  keyOf,
  networkId,
  otherNetworkId,
  serviceNamed,
  verdict
} from '../../../helpers/signed-objects.ts'

interface Kind {
  name: string
  domain: Domain
  key: SigningKey
  any: fc.Arbitrary<Signed<unknown>>
  open(bytes: Uint8Array, network: Uint8Array): Signed<unknown>
}

const anyCount = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const me = keyOf(4)
const own = { networkId: fc.constant(networkId), publicKey: fc.constant(me.publicKey) }
const anyCheckpoint = fc.record({
  networkId: fc.constant(networkId),
  epoch: anyCount,
  n: anyCount,
  headHash: anyHash,
  stateRoot: anyHash,
  rows: anyCount,
  bytes: anyCount,
  timeMs: anyTime
})
const anyJoin = fc.record({ name: anyName, role: anyRole, timeMs: anyTime })

const kinds: Kind[] = [
  {
    name: 'log entry',
    domain: domains.logEntry,
    key: keyOf(1),
    any: anyEntry.map((entry) => sealEntry(entry, keyOf(1))),
    open: openEntry
  },
  {
    name: 'checkpoint',
    domain: domains.checkpoint,
    key: keyOf(3),
    any: anyCheckpoint.map((checkpoint) => sealCheckpoint(checkpoint, keyOf(3))),
    open: openCheckpoint
  },
  {
    name: 'node record',
    domain: domains.nodeRecord,
    key: me,
    any: anyRecord.map((record) => sealRecord(record, me)),
    open: openRecord
  },
  {
    name: 'join request',
    domain: domains.join,
    key: me,
    any: anyJoin.map((init) => openJoin(makeJoin({ ...init, networkId, key: me }), networkId)),
    open: openJoin
  },
  {
    name: 'join receipt',
    domain: domains.receipt,
    key: keyOf(5),
    any: fc
      .record({ networkId: fc.constant(networkId), joinHash: anyHash, timeMs: anyTime })
      .map((receipt) => sealReceipt(receipt, keyOf(5))),
    open: openReceipt
  },
  {
    name: 'renew request',
    domain: domains.renew,
    key: me,
    any: fc.record({ ...own, notAfterMs: anyTime }).map((request) => sealRenewRequest(request, me)),
    open: openRenewRequest
  },
  {
    name: 'forget request',
    domain: domains.forget,
    key: me,
    any: fc
      .record({ ...own, membership: fc.uint8Array({ minLength: 32, maxLength: 32 }) })
      .map((request) => sealForgetRequest(request, me)),
    open: openForgetRequest
  },
  {
    name: 'rotate request',
    domain: domains.rotate,
    key: me,
    any: fc.constant(sealRotateRequest({ networkId, oldKey: me.publicKey, newKey: keyOf(9).publicKey }, me)),
    open: openRotateRequest
  },
  {
    name: 'store manifest',
    domain: domains.storeManifest,
    key: me,
    any: fc
      .record({
        ...own,
        seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        name: anyName,
        root: anyHash.map((digest) => Uint8Array.of(1, 0x70, 0x12, 32, ...digest)),
        sizeBytes: anyCount,
        files: anyCount,
        issuedMs: anyTime,
        removed: fc.boolean()
      })
      .map((manifest) => sealStoreManifest(manifest, me)),
    open: openStoreManifest
  }
]

function sampleOf({ any, name }: Kind): Signed<unknown> {
  const [signed] = fc.sample(any, 1)
  if (signed === undefined) throw new Error(`no sample of ${name}`)
  return signed
}

/** The payload of a signed object, changed and signed again by the same key. */
const resealed = ({ domain, key }: Kind, signed: Signed<unknown>, change: (payload: Uint8Array) => Uint8Array) =>
  seal(domain, change(openEnvelope(domain, signed.bytes).payload), key)

describe.each(kinds)('$name', (kind) => {
  it('opens as what was sealed', () => {
    fc.assert(
      fc.property(kind.any, (signed) => {
        expect(kind.open(signed.bytes, networkId)).toEqual(signed)
      })
    )
  })

  it('is refused in another network', () => {
    const signed = sampleOf(kind)
    expect(() => kind.open(signed.bytes, otherNetworkId)).toThrow(WrongNetworkError)
  })

  it('is refused when its version is newer or missing', () => {
    fc.assert(
      fc.property(kind.any, fc.integer({ min: 2, max: 127 }), (signed, version) => {
        const newer = resealed(kind, signed, (payload) => Uint8Array.from([8, version, ...payload.subarray(2)]))
        expect(() => kind.open(newer, networkId)).toThrow(UnsupportedVersionError)
        const none = resealed(kind, signed, (payload) => payload.subarray(2))
        expect(() => kind.open(none, networkId)).toThrow(InvalidPayloadError)
      }),
      { numRuns: 20 }
    )
  })

  it('ignores fields of newer versions, which have higher numbers', () => {
    const signed = sampleOf(kind)
    const added = Uint8Array.of(0xfa, 0x01, 2, 0x68, 0x69, 0x80, 0x02, 0x2a)
    const bytes = resealed(kind, signed, (payload) => Uint8Array.from([...payload, ...added]))
    expect(kind.open(bytes, networkId).value).toEqual(signed.value)
  })

  it('throws only errors of its own for payloads that are damaged before they are signed', () => {
    fc.assert(
      fc.property(kind.any, fc.nat(), fc.integer({ min: 1, max: 255 }), (signed, at, change) => {
        const bytes = resealed(kind, signed, (payload) => {
          const damaged = payload.slice()
          const i = at % damaged.length
          damaged[i] = (damaged[i] ?? 0) ^ change
          return damaged
        })
        expect(verdict(() => kind.open(bytes, networkId))).toMatch(
          /^opened$|^(Invalid(Payload|Envelope)|WrongNetwork|UnsupportedVersion)Error$/
        )
      }),
      { numRuns: 300 }
    )
  })

  it('is refused when a known field comes twice, in another form or out of order', () => {
    const signed = sampleOf(kind)
    const forms: ((payload: Uint8Array) => Uint8Array)[] = [
      // The version in two bytes, above 32 bits, twice, and after the rest.
      (payload) => Uint8Array.from([8, 0x81, 0, ...payload.subarray(2)]),
      (payload) => Uint8Array.from([8, 0x81, 0x80, 0x80, 0x80, 0x10, ...payload.subarray(2)]),
      (payload) => Uint8Array.from([8, 2, ...payload]),
      (payload) => Uint8Array.from([...payload.subarray(2), 8, 1])
    ]
    for (const form of forms) {
      expect(() => kind.open(resealed(kind, signed, form), networkId)).toThrow(InvalidPayloadError)
    }
  })
})

describe('in the thread pool', () => {
  it('entries, checkpoints and records open as they do here', async () => {
    const any = fc.tuple(anyEntry, anyCheckpoint, anyRecord)
    await fc.assert(
      fc.asyncProperty(any, async ([entry, checkpoint, record]) => {
        const sealed = [
          sealEntry(entry, keyOf(1)),
          sealCheckpoint(checkpoint, keyOf(3)),
          sealRecord(record, me)
        ] as const
        expect(await openEntryAsync(sealed[0].bytes, networkId)).toEqual(sealed[0])
        expect(await openCheckpointAsync(sealed[1].bytes, networkId)).toEqual(sealed[1])
        expect(await openRecordAsync(sealed[2].bytes, networkId)).toEqual(sealed[2])
        await expect(openEntryAsync(sealed[0].bytes, otherNetworkId)).rejects.toThrow(WrongNetworkError)
        await expect(openCheckpointAsync(sealed[1].bytes, otherNetworkId)).rejects.toThrow(WrongNetworkError)
        await expect(openRecordAsync(sealed[2].bytes, otherNetworkId)).rejects.toThrow(WrongNetworkError)
      }),
      { numRuns: 20 }
    )
  })
})

describe('genesis', () => {
  it('opens as what was sealed, and only the authority key can have signed it', () => {
    const signed = sealGenesis(aGenesis, keyOf(1))
    expect(openGenesis(signed.bytes)).toEqual(signed)
    expect(() => sealGenesis(aGenesis, keyOf(2))).toThrow('may not sign')
    const { payload } = openEnvelope(domains.genesis, signed.bytes)
    expect(() => openGenesis(seal(domains.genesis, payload, keyOf(2)))).toThrow('may not sign')
  })

  it('makes the same network id from the same payload, whoever carries the envelope', () => {
    expect(sealGenesis(aGenesis, keyOf(1)).hash).toEqual(sealGenesis({ ...aGenesis }, keyOf(1)).hash)
    const other = sealGenesis({ ...aGenesis, createdMs: aGenesis.createdMs + 1 }, keyOf(1))
    expect(other.hash).not.toEqual(sealGenesis(aGenesis, keyOf(1)).hash)
  })

  it('is not opened with a policy that asks for kinds of entries which are not known', () => {
    const policy = { ...aGenesis.policy, criticalKinds: [0, 9_999] }
    expect(() => openGenesis(sealGenesis({ ...aGenesis, policy }, keyOf(1)).bytes)).toThrow('update this program')
  })

  it('has no grace for witnesses, which its encoding has no place for', () => {
    const policy = { ...aGenesis.policy, witnessGraceMs: 60_000 }
    expect(() => sealGenesis({ ...aGenesis, policy }, keyOf(1))).toThrow('a policy entry does')
  })

  it('is no log entry, and a log entry no genesis', () => {
    expect(() => openEntry(sealGenesis(aGenesis, keyOf(1)).bytes, networkId)).toThrow('another purpose')
    expect(() => openGenesis(sealEntry(anEntry, keyOf(3)).bytes)).toThrow('another purpose')
  })
})

describe('sizes', () => {
  it('lets the largest of each kind through, and refuses a record of more than 1 KiB', () => {
    const name = 'n'.repeat(63)
    const groups = Array.from({ length: 16 }, (_, i) => `${i + 10}`.padEnd(63, 'g'))
    const grant = { ...aGrant, name, groups, replaces: name, uses: 1_000_000, note: '漢'.repeat(128) }
    expect(sealEntry({ ...anEntry, kind: 'grant', body: grant }, keyOf(3)).bytes.length).toBeLessThanOrEqual(4096)
    const join = makeJoin({
      networkId,
      key: me,
      name,
      role: 'external',
      grant,
      inviteKey: keyOf(7),
      timeMs: 253_402_300_799_999
    })
    const receipt = sealReceipt({ networkId, joinHash: networkId, timeMs: 253_402_300_799_999 }, keyOf(5))
    const body = {
      publicKey: me.publicKey,
      name,
      role: 'external',
      notAfterMs: 253_402_300_799_999,
      via: 'invite'
    } as const
    const admit = {
      ...anEntry,
      kind: 'admit',
      body: { ...body, grantId: grant.id, join, receipt: receipt.bytes }
    } as const
    expect(sealEntry(admit, keyOf(3)).bytes.length).toBeLessThanOrEqual(4096)
    const services = Array.from({ length: 16 }, (_, i) => serviceNamed(`${10 + i}`.padEnd(63, 'x')))
    expect(() => sealRecord({ ...aRecord, services, tags: [] }, me)).toThrow('at most 1024 are allowed')
  })
})
