import { afterEach, expect } from 'vitest'
import { domains } from '../../../src/registry/objects/envelope.ts'
import { badRecords, resigned, tails, withTail } from '../../helpers/faults/bad-encodings.ts'
import { client, failure, instance, joinOf, served, stopServed } from '../../helpers/hosts/sessions.ts'
import { attack, control } from '../attack.ts'

afterEach(stopServed)

attack('a member sends records that other implementations refuse', async () => {
  const root = await served({ limits: { register: { puts: { count: 100, perMs: 1_000 } } } })
  const { key, session } = await client(root, 'member', 'integrated')
  await session.register({ record: root.network.record(key, 1), instance: instance() })
  const tried = badRecords(root.network.record(key, 2), key)
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
