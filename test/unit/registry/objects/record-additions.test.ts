import { concat } from 'uint8arrays/concat'
import { describe, expect, it } from 'vitest'
import { fieldsOf } from '../../../../src/registry/objects/encoding/canonical.ts'
import { domains, openEnvelope, seal } from '../../../../src/registry/objects/envelope.ts'
import { type NodeRecord, openRecord, readStoredRecord, sealRecord } from '../../../../src/registry/objects/record.ts'
import { RecordAdditions } from '../../../../src/registry/pb/registry.ts'
import { InvalidPayloadError } from '../../../../src/runtime/errors.ts'
import { aRecord, keyOf, networkId } from '../../../helpers/signed-objects.ts'

const key = keyOf(4)
const digest = new Uint8Array(32).fill(7)
const storesNamed = (...names: string[]) => names.map((name) => ({ name, digest }))
const maintenance = { sinceMs: 1_790_000_000_000, reason: 'a new disk' }

/** The record of others that do not know these rules: signed with whatever stands behind its fields. */
function withMore(more: Uint8Array): Uint8Array {
  const { payload } = openEnvelope(domains.nodeRecord, sealRecord(aRecord, key).bytes)
  return seal(domains.nodeRecord, concat([payload, more]), key)
}

describe('stores of a record', () => {
  it.each<[string, Partial<NodeRecord>]>([
    ['a store', { stores: storesNamed('music') }],
    ['8 stores', { stores: storesNamed(...Array.from('abcdefgh')) }],
    ['stores behind a maintenance', { maintenance, stores: storesNamed('maps', 'music') }]
  ])('%s: the record opens as it was, also from the store', (_, change) => {
    const record = { ...aRecord, ...change }
    const { bytes } = sealRecord(record, key)
    expect(openRecord(bytes, networkId).value).toEqual(record)
    expect(readStoredRecord(bytes)).toEqual(record)
  })

  it.each<[string, Partial<NodeRecord>]>([
    ['an empty list of stores', { stores: [] }],
    ['9 stores', { stores: storesNamed(...Array.from('abcdefghi')) }],
    ['stores that do not ascend', { stores: storesNamed('b', 'a') }],
    ['a store twice', { stores: storesNamed('a', 'a') }],
    ['a store that is no label', { stores: storesNamed('Music') }],
    ['a short digest', { stores: [{ name: 'a', digest: digest.subarray(1) }] }]
  ])('with %s it is not sealed', (_, change) => {
    expect(() => sealRecord({ ...aRecord, ...change }, key)).toThrow(InvalidPayloadError)
  })

  it.each<[string, Uint8Array]>([
    ['no message', Uint8Array.of(0x82, 1, 1, 0xff)],
    ['9 stores', RecordAdditions.encode({ stores: storesNamed(...Array.from('abcdefghi')) })],
    ['out of order', RecordAdditions.encode({ stores: storesNamed('b', 'a') })],
    ['with markup', RecordAdditions.encode({ stores: storesNamed('<b>') })]
  ])('one that is %s counts as absent, as for a reader that does not know it', (_, more) => {
    const bytes = withMore(more)
    expect(openRecord(bytes, networkId).value).toEqual(aRecord)
    expect(readStoredRecord(bytes)).toEqual(aRecord)
  })

  it('what a newer version adds takes nothing from them', () => {
    const bytes = withMore(concat([RecordAdditions.encode({ stores: storesNamed('a') }), Uint8Array.of(0x88, 1, 5)]))
    expect(openRecord(bytes, networkId).value).toEqual({ ...aRecord, stores: storesNamed('a') })
  })
})

describe('the fields of one number', () => {
  const message = Uint8Array.of(8, 1, 18, 1, 65, 18, 1, 66, 32, 5)
  it.each<[number, number[]]>([
    [1, [8, 1]],
    [2, [18, 1, 65, 18, 1, 66]],
    [3, []],
    [4, [32, 5]],
    [5, []]
  ])('%i', (number, bytes) => expect([...fieldsOf(message, number)]).toEqual(bytes))

  it('end where bytes that nobody checked end', () => {
    for (let length = 0; length < message.length; length++) fieldsOf(message.subarray(0, length), 9)
    expect(fieldsOf(Uint8Array.of(0x83, 0x84), 2)).toHaveLength(0)
  })
})
