import { beforeEach, describe, expect, it } from 'vitest'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { recordKey } from '../../../../src/protocols/kad/record-key.ts'
import { type KadSource, newestOf, validateValue } from '../../../../src/protocols/kad/validate.ts'
import { type NodeRecord, sealRecord } from '../../../../src/registry/objects/record.ts'
import { aRecord, keyOf, networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'

const ann = keyOf(1)
const limits = limitsWith().kad
const key = recordKey(ann.publicKey)
const record = (seq: number, changes: Partial<NodeRecord> = {}, signer = ann) =>
  sealRecord({ ...aRecord, publicKey: signer.publicKey, networkId, seq, ...changes }, signer)

let known: ReturnType<typeof record> | undefined
let put: number[]
let members: Uint8Array[]
let source: KadSource

beforeEach(() => {
  known = undefined
  put = []
  members = [ann.publicKey]
  source = {
    networkId,
    replica: { isMember: (publicKey: Uint8Array) => members.some((each) => Buffer.compare(each, publicKey) === 0) },
    records: {
      get: () => known && { seq: known.value.seq, hash: known.hash, envelope: known.bytes },
      put: async (bytes: Uint8Array) => {
        put.push(bytes.length)
      }
    }
  } as unknown as KadSource
})

const outcome = async (value: Uint8Array, at = key): Promise<string> =>
  await validateValue(at, value, source, limits).then(
    () => 'taken',
    (error: Error) => error.name
  )

describe('a value of the DHT', () => {
  it('is the record of a member under its key, and becomes known', async () => {
    expect(await outcome(record(1).bytes)).toBe('taken')
    expect(put).toEqual([record(1).bytes.length])
  })

  it.each([
    ['an older one than the one known', 1, 'StaleRecordError', 0],
    ['the very one that is known, which is not stored again', 2, 'taken', 0],
    ['a newer one, which becomes known', 3, 'taken', 1]
  ])('beside a known record: %s', async (_, seq, name, stored) => {
    known = record(2)
    expect(await outcome(record(seq).bytes)).toBe(name)
    expect(put).toHaveLength(stored)
  })

  it('shows whoever sends an older one the one that is known', async () => {
    known = record(2)
    const { bytes } = known
    await expect(validateValue(key, record(1).bytes, source, limits)).rejects.toMatchObject({ held: bytes })
  })

  it.each<[string, () => Uint8Array, Uint8Array | undefined, string]>([
    [
      'of somebody who is no member',
      () => record(1, {}, keyOf(2)).bytes,
      recordKey(keyOf(2).publicKey),
      'NotMemberError'
    ],
    ['under the key of another member', () => record(1, {}, keyOf(2)).bytes, undefined, 'InvalidEnvelopeError'],
    ['of another network', () => record(1, { networkId: otherNetworkId }).bytes, undefined, 'WrongNetworkError'],
    ['that is longer than a record', () => new Uint8Array(limits.valueBytes + 1), undefined, 'LimitError'],
    ['that is no record', () => Uint8Array.of(1, 2, 3), undefined, 'InvalidEnvelopeError'],
    ['that is empty', () => new Uint8Array(), undefined, 'InvalidEnvelopeError'],
    ['under a key that is none', () => record(1).bytes, Uint8Array.of(1), 'InvalidPayloadError']
  ])('is none %s', async (_, value, at, name) => {
    expect(await outcome(value(), at)).toBe(name)
    expect(put).toEqual([])
  })
})

describe('the newest of several values', () => {
  it.each([
    ['the only one', [1], 0],
    ['the one with the highest seq, wherever it stands', [2, 5, 3], 1],
    ['the first of those that are the same', [4, 4], 0]
  ])('is %s', async (_, seqs, index) => {
    expect(
      await newestOf(
        seqs.map((seq) => record(seq).bytes),
        networkId
      )
    ).toBe(index)
  })

  it('is none of those that are no records of this network', async () => {
    const other = record(9, { networkId: otherNetworkId }).bytes
    expect(await newestOf([Uint8Array.of(1), other, record(1).bytes], networkId)).toBe(2)
    await expect(newestOf([other, Uint8Array.of(1)], networkId)).rejects.toMatchObject({ name: 'InvalidPayloadError' })
    await expect(newestOf([], networkId)).rejects.toMatchObject({ name: 'InvalidPayloadError' })
  })
})
