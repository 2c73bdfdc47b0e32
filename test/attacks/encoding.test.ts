import { concat } from 'uint8arrays/concat'
import { afterEach, expect } from 'vitest'
import type { SigningKey } from '../../src/identity/keys.ts'
import { type Domain, domains, openEnvelope, seal } from '../../src/registry/objects/envelope.ts'
import { type JoinRequest, NodeRecord } from '../../src/registry/pb/registry.ts'
import { notKeys } from '../helpers/not-keys.ts'
import { client, failure, instance, joinOf, type Served, served, stopServed } from '../helpers/sessions.ts'
import { attack, control } from './attack.ts'

afterEach(stopServed)

/** Bytes behind the known fields that implementations read differently, or refuse. */
const tails: readonly (readonly [string, readonly number[]])[] = [
  ['a known field again', [0x20, 9]],
  ['field number 0', [0, 1]],
  ['field number 2^29', [0x80, 0x80, 0x80, 0x80, 0x10, 1]],
  ['a varint of 11 bytes', [0xb8, 0xbe, 0x3d, ...Array.from({ length: 10 }, () => 0x80), 1]],
  ['a varint in more bytes than it needs', [0xb8, 0xbe, 0x3d, 0x81, 0]],
  ['a group', [0xbb, 0xbe, 0x3d, 0xbc, 0xbe, 0x3d]],
  ['a wire type that does not exist', [0xbf, 0xbe, 0x3d]],
  ['fields out of order', [0xc0, 0xbe, 0x3d, 1, 0xb8, 0xbe, 0x3d, 1]],
  ['a field beyond the end', [0xba, 0xbe, 0x3d, 9, 1]]
]

type Message = typeof NodeRecord | typeof JoinRequest

/** The payload of an envelope, changed and signed again. */
const resigned = (domain: Domain, bytes: Uint8Array, key: SigningKey, change: (payload: Uint8Array) => Uint8Array) =>
  seal(domain, change(openEnvelope(domain, bytes).payload), key)

const withTail = (tail: readonly number[]) => (payload: Uint8Array) => concat([payload, Uint8Array.from(tail)])

const withFields = (codec: Message, fields: object) => (payload: Uint8Array) =>
  codec.encode({ ...codec.decode(payload), ...fields })

/** What a member may try with a record: all ways to write it, and keys and text that others do not take. */
function badRecords(root: Served, key: SigningKey): { name: string; record: Uint8Array }[] {
  const good = root.network.record(key, 2)
  const changes: [string, (payload: Uint8Array) => Uint8Array][] = [
    ...tails.map(([name, tail]): [string, (payload: Uint8Array) => Uint8Array] => [name, withTail(tail)]),
    ...notKeys.map(({ name, publicKey }): [string, (payload: Uint8Array) => Uint8Array] => [
      `registry key ${name}`,
      withFields(NodeRecord, { registryKey: publicKey })
    ]),
    ['text that normal form C of Unicode 16 changes', withFields(NodeRecord, { tags: ['\u{105d2}\u0307'] })],
    ['a false that is left out', withTail([0x60, 0])],
    ['a code point of Unicode 15.1', withFields(NodeRecord, { tags: ['\u{2ebf0}'] })]
  ]
  return changes.map(([name, change]) => ({ name, record: resigned(domains.nodeRecord, good, key, change) }))
}

attack('a member sends records that other implementations refuse', async () => {
  const root = await served({ limits: { register: { puts: { count: 100, perMs: 1_000 } } } })
  const { key, session } = await client(root, 'member', 'integrated')
  await session.register({ record: root.network.record(key, 1), instance: instance() })
  const tried = badRecords(root, key)
  for (const { name, record } of tried) {
    expect(await failure(session.put(record)), name).toMatchObject({ name: 'InvalidPayloadError' })
    expect(root.registry.records.get(key.publicKey)?.seq, name).toBe(1)
  }
  return {
    happened: `${tried.length} records, 0 taken or passed on`,
    held: 'one encoding, one Unicode version, one list of keys'
  }
})

control('a record with well-formed fields of a newer version is taken, and kept as it is', async () => {
  const root = await served()
  const { key, session } = await client(root, 'member', 'integrated')
  await session.register({ record: root.network.record(key, 1), instance: instance() })
  const newer = resigned(domains.nodeRecord, root.network.record(key, 2), key, withTail([0xb8, 0xbe, 0x3d, 1]))
  await session.put(newer)
  expect(root.registry.records.get(key.publicKey)?.envelope).toEqual(Buffer.from(newer))
})

attack('a stranger sends join requests that other implementations refuse', async () => {
  const root = await served({ limits: { register: { failedProofs: { count: 100, perMs: 1_000 } } } })
  const entries = root.network.entries.length
  for (const [name, tail] of tails) {
    const { key, session } = await client(root, 'stranger')
    const join = resigned(domains.join, joinOf(root, key, 'stranger'), key, withTail(tail))
    const call = { record: root.network.record(key, 1), instance: instance(), join }
    expect(await failure(session.register(call)), name).toMatchObject({ name: 'InvalidPayloadError' })
  }
  expect(root.network.entries).toHaveLength(entries)
  return { happened: `${tails.length} joins, 0 admitted`, held: 'one encoding' }
})

control('a join with well-formed fields of a newer version is admitted', async () => {
  const root = await served()
  const { key, session } = await client(root, 'newer')
  const join = resigned(domains.join, joinOf(root, key, 'newer'), key, withTail([0xb8, 0xbe, 0x3d, 1]))
  await session.register({ record: root.network.record(key, 1), instance: instance(), join })
  expect(root.registry.replica.state.member(key.publicKey)?.name).toBe('newer')
})
