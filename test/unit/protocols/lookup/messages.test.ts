import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import {
  decodeQuery,
  encodeQuery,
  heardMsOf,
  readQuery,
  stateOfRow,
  toRowMessage
} from '../../../../src/protocols/lookup/messages.ts'
import { LookupRequest, LookupRow } from '../../../../src/protocols/lookup/pb/lookup.ts'
import { stateOf, states } from '../../../../src/registry/liveness/states.ts'
import type { LookupQuery } from '../../../../src/registry/records/lookup.ts'
import { anyHash, anyKey, anyName, anyRole, networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'

const limits = limitsWith({ lookup: { rows: 50, defaultRows: 10 } }).lookup
const key = new Uint8Array(32).fill(7)
const read = (query: LookupQuery) => readQuery(decodeQuery(encodeQuery(query, networkId)), networkId, limits)
const readChanged = (changes: Partial<LookupRequest>) => {
  const request = decodeQuery(encodeQuery({}, networkId))
  return readQuery(LookupRequest.decode(LookupRequest.encode({ ...request, ...changes })), networkId, limits)
}

describe('a question', () => {
  it('comes over the wire as it was asked', () => {
    const anyState = fc.constantFrom(...Object.values(states).map((number) => stateOf(number)))
    const anyQuery = fc.record(
      {
        publicKey: anyKey,
        name: anyName,
        role: anyRole,
        service: anyName,
        state: anyState,
        after: anyHash,
        limit: fc.integer({ min: 1, max: 50 })
      },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(anyQuery, (query) => {
        const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
        expect(read(given)).toEqual({ limit: limits.defaultRows, ...given })
      })
    )
  })

  it.each([
    [undefined, 10],
    [0, 10],
    [1, 1],
    [50, 50],
    [51, 50],
    [4_294_967_295, 50]
  ])('for %s rows gets %s at most', (limit, rows) => {
    expect(read(limit === undefined ? {} : { limit }).limit).toBe(rows)
  })

  it.each<[string, Partial<LookupRequest>, string]>([
    ['of a newer version', { version: 99 }, 'UnsupportedVersionError'],
    ['in another network', { networkId: otherNetworkId }, 'WrongNetworkError'],
    ['in no network', { networkId: new Uint8Array() }, 'WrongNetworkError'],
    ['for a key that is too short', { publicKey: key.subarray(1) }, 'MalformedFrameError'],
    ['behind a key that is too long', { after: new Uint8Array(33) }, 'MalformedFrameError'],
    ['for a name that no member has', { name: 'n'.repeat(65) }, 'InvalidPayloadError'],
    ['for a service that no member has', { service: 's'.repeat(65) }, 'InvalidPayloadError'],
    ['for a role of a newer version', { role: 99 }, 'UnsupportedVersionError'],
    ['for a state of a newer version', { state: 99 }, 'UnsupportedVersionError']
  ])('%s is refused, and never answered as if the filter were not there', (_, changes, name) => {
    expect(() => readChanged(changes)).toThrow(expect.objectContaining({ name }))
  })

  it('of bytes that are no message is a malformed frame', () => {
    for (const bytes of [Uint8Array.of(0xff), Uint8Array.of(0x12, 0x20, 1), new Uint8Array(3).fill(0x80)]) {
      expect(() => decodeQuery(bytes)).toThrow(expect.objectContaining({ name: 'MalformedFrameError' }))
    }
  })
})

describe('a row', () => {
  const row = (heardAgeMs: number | undefined, record?: Uint8Array) => {
    const liveness = { state: 'online', heardAgeMs } as const
    const given = { publicKey: key, name: 'ann', role: 'external', record, admit: Uint8Array.of(1), liveness } as const
    return LookupRow.decode(LookupRow.encode(toRowMessage(given as unknown as Parameters<typeof toRowMessage>[0])))
  }

  it.each([
    ['never', undefined, undefined],
    ['now', 0, 0],
    ['a part of a millisecond ago', 0.4, 0],
    ['in a moment, by a clock that was set', -5, 0],
    ['long ago', 90_000.6, 90_001]
  ])('heard %s says so', (_, heardAgeMs, heardMs) => {
    expect(heardMsOf(row(heardAgeMs))).toBe(heardMs)
  })

  it('says in which state the member is, and unknown for one of a newer version', () => {
    expect(stateOfRow(row(1))).toBe('online')
    expect(stateOfRow({ ...row(1), state: 99 })).toBe('unknown')
  })

  it('of a member without a record has none', () => {
    expect(row(1).record).toHaveLength(0)
    expect(row(1, Uint8Array.of(1, 2)).record).toEqual(Uint8Array.of(1, 2))
  })
})
