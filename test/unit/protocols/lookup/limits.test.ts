import type { Connection, Startable } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { type LimitOverrides, limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { LookupStream, lookup, lookupAll, lookupServer } from '../../../../src/protocols/lookup/index.ts'
import { unheardView } from '../../../../src/registry/liveness/view.ts'
import type { LookupPage, LookupQuery, LookupRow } from '../../../../src/registry/records/lookup.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { networkId } from '../../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withoutSockets()

const rowOf = (admitBytes: number): LookupRow => {
  const { publicKey } = SigningKey.generate()
  const admit = new Uint8Array(admitBytes)
  return { publicKey, name: 'ann', role: 'integrated', record: undefined, admit, liveness: unheardView(publicKey) }
}

interface Scene {
  readonly registry: MemberHost<{ lookup: Startable }>
  readonly connection: Connection
  /** Questions that were answered. */
  readonly asked: LookupQuery[]
}

/** A member that is connected to a registry, which gives this page to every question. */
const scene = async (
  page: Omit<LookupPage, 'looked'>,
  looked: number,
  lookupLimits: LimitOverrides['lookup']
): Promise<Scene> => {
  const members: Members = new Map()
  const asked: LookupQuery[] = []
  const answer = (query: LookupQuery): LookupPage => {
    asked.push(query)
    return { ...page, looked }
  }
  const registry = await startMember<{ lookup: Startable }>({
    members,
    role: 'root',
    services: ({ trust }) => ({
      lookup: lookupServer({
        source: { networkId, lookup: answer, replicaAgeMs: () => 0 },
        trust,
        limits: limitsWith({ lookup: { ...lookupLimits } })
      })
    })
  })
  const asker = await startMember({ members, services: () => ({}) })
  disposeAfterTest(registry, asker)
  return { registry, connection: await connect(asker.host, registry.host), asked }
}

const options = { networkId, limits: limitsWith() }
const named = ({ registry }: Scene): string[] => registry.trust.culprits.counts.map(({ limit }) => limit)

test('a question that costs much is paid for by those after it: they wait for their answers', async () => {
  const made = await scene({ rows: [rowOf(10)] }, 30, { cost: { count: 10, perMs: 100 } })
  await using stream = await LookupStream.open(made.connection, options)
  await stream.ask({})
  const began = performance.now()
  await stream.ask({})
  // Thirty, where ten are given back in 100 ms and ten were there: no sooner, and however much later on a busy machine.
  expect(performance.now() - began).toBeGreaterThan(100)
  expect(made.asked).toHaveLength(2)
})

test('whoever would have to wait too long is refused with the time, and named', async () => {
  const made = await scene({ rows: [rowOf(10)] }, 1_000, { cost: { count: 10, perMs: 60_000 } })
  await lookup(made.connection, {}, options)
  await expect(lookup(made.connection, {}, options)).rejects.toMatchObject({
    name: 'RateLimitedError',
    retryAfterMs: expect.any(Number)
  })
  expect(named(made)).toEqual(['lookup.cost'])
  expect(made.asked).toHaveLength(1)
})

test('the bytes of an answer cost as much as members that were looked at', async () => {
  const made = await scene({ rows: [rowOf(64 * 1024)] }, 1, { cost: { count: 10, perMs: 60_000 } })
  await lookup(made.connection, {}, options)
  await expect(lookup(made.connection, {}, options)).rejects.toMatchObject({ name: 'RateLimitedError' })
})

test('a page that does not fit into an answer ends early, and the next one begins behind its last row', async () => {
  const rows = [rowOf(400), rowOf(400), rowOf(400)]
  const made = await scene({ rows, next: rows[2]?.publicKey ?? new Uint8Array() }, 3, { answerBytes: 1_200 })
  const page = await lookup(made.connection, {}, options)
  expect(page.rows.map(({ publicKey }) => publicKey)).toEqual([rows[0]?.publicKey, rows[1]?.publicKey])
  expect(page.next).toEqual(rows[1]?.publicKey)
  // An answer in which nothing is set would be an empty frame.
  expect(page.replicaAgeMs).toBe(1)
})

test('a stream on which nobody asks is closed after its time', async () => {
  const made = await scene({ rows: [] }, 0, { idleMs: 50 })
  await using stream = await LookupStream.open(made.connection, options)
  await expect.poll(() => made.connection.streams.filter(({ status }) => status === 'open')).toEqual([])
  await expect(stream.ask({})).rejects.toThrow(/reset|closed|ended/)
})

test.each<[string, Omit<LookupPage, 'looked'>, string]>([
  ['goes on after a page without rows', { rows: [], next: new Uint8Array(32).fill(1) }, 'after a page without rows'],
  ['gives the same page for ever', { rows: [rowOf(10)], next: new Uint8Array(32).fill(1) }, 'a page that goes back']
])('a listing of a registry that %s ends with an error', async (_what, page, words) => {
  const made = await scene(page, 1, {})
  const pages = async (): Promise<void> => {
    for await (const _ of lookupAll(made.connection, {}, options)) if (made.asked.length > 9) return
  }
  await expect(pages()).rejects.toThrow(words)
  expect(made.asked.length).toBeLessThan(3)
})

test('a registry that has stopped answers nobody', async () => {
  const made = await scene({ rows: [] }, 0, {})
  await lookup(made.connection, {}, options)
  await made.registry.host.services.lookup.stop()
  await expect(lookup(made.connection, {}, options)).rejects.toThrow('/lookup/')
  expect(made.asked).toHaveLength(1)
})
