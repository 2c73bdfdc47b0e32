import { beforeEach, describe, expect, it } from 'vitest'
import type { LogBatch, RootLease, RootLog, RootLogStart } from '../../../src/registry/log/root-log/root-log.ts'
import type { LogItem } from '../../../src/registry/store/log-rows.ts'
import { LogNetwork, type OpenStore, refusalOf } from '../log-network.ts'

/** A log that was begun nowhere yet, and batches that follow from one another. */
export interface LogToKeep {
  readonly network: LogNetwork
  readonly start: RootLogStart
  readonly batches: readonly LogBatch[]
  /** Store of the root that signed them. */
  readonly store: OpenStore
}

export interface EngineUnderTest {
  readonly log: RootLog
  /** Another way to the same log. */
  readonly other: RootLog
  /** The clock of the engine goes on until every lease is over. */
  expire(): Promise<void>
}

const startOf = ({ replica }: OpenStore): RootLogStart => {
  const { head, checkpoint } = replica
  if (checkpoint === undefined) throw new Error('nothing is signed')
  return { head, checkpoint: checkpoint.bytes }
}

/** A network whose root has signed some batches after the start. */
export async function logToKeep(): Promise<LogToKeep> {
  const network = new LogNetwork()
  const { root, ...store } = await network.start()
  const { replica } = store
  const start = startOf(store)
  const batches: LogBatch[] = []
  for (const members of [[1], [2, 3, 4], [5]]) {
    const after = replica.head
    network.clock.nowMs += 1000
    const added = await Promise.all(members.map((m) => root.append([network.admit(replica.networkId, m)])))
    const entries = added.flat().map(({ value, bytes }) => ({ n: value.n, envelope: bytes }))
    batches.push({ ...startOf(store), after, entries })
  }
  return { network, start, batches, store }
}

const bytesOf = (items: readonly LogItem[]): string[] =>
  items.map(({ n, envelope }) => `${n} ${Buffer.from(envelope).toString('hex')}`)

/** All that the log holds behind a position, page by page. */
async function readAll(log: RootLog, afterN: number): Promise<LogItem[]> {
  const all: LogItem[] = []
  for (;;) {
    const page = await log.read(all.at(-1)?.n ?? afterN)
    if (page.length === 0) return all
    all.push(...page)
  }
}

/** Holds an engine to what the interface promises. `open` gives one in which the log of the network was not begun. */
export function rootLogSuite(name: string, open: (kept: LogToKeep) => Promise<EngineUnderTest>): void {
  describe(`a root log on ${name}`, () => {
    let kept: LogToKeep
    let engine: EngineUnderTest
    let lease: RootLease
    const batch = (i: number): LogBatch => {
      const found = kept.batches[i]
      if (found === undefined) throw new Error(`no batch ${i}`)
      return found
    }

    beforeEach(async () => {
      kept = await logToKeep()
      engine = await open(kept)
      const begun = await engine.log.begin('a', kept.start)
      if (begun === undefined) throw new Error('it was begun')
      lease = begun
    })

    it('is begun once, by one', async () => {
      expect(await engine.other.begin('b', kept.start)).toBeUndefined()
      const state = await engine.other.state()
      expect(state).toMatchObject({ head: { n: kept.start.head.n }, lease: { holder: 'a', term: lease.term } })
      expect(state?.lease.leftMs).toBeGreaterThan(0)
    })

    it('takes batches one after the other, and gives them back as they came', async () => {
      for (const each of kept.batches) await engine.log.append(lease, each)
      const state = await engine.other.state()
      expect(state?.head).toEqual(batch(2).head)
      expect(Buffer.from(state?.checkpoint ?? [])).toEqual(Buffer.from(batch(2).checkpoint))
      const all = await readAll(engine.other, kept.start.head.n)
      expect(bytesOf(all)).toEqual(bytesOf(kept.batches.flatMap(({ entries }) => entries)))
      expect(bytesOf(await readAll(engine.other, batch(0).head.n))).toEqual(bytesOf(all).slice(1))
      expect(await engine.log.read(batch(2).head.n)).toEqual([])
    })

    it('refuses a batch that does not follow from its head, and writes nothing of it', async () => {
      expect(await refusalOf(engine.log.append(lease, batch(1)))).toBe('HeadMovedError')
      await engine.log.append(lease, batch(0))
      expect(await refusalOf(engine.log.append(lease, batch(0)))).toBe('HeadMovedError')
      const forged = { ...batch(1), after: { ...batch(1).after, hash: new Uint8Array(32) } }
      expect(await refusalOf(engine.log.append(lease, forged))).toBe('HeadMovedError')
      expect((await engine.log.state())?.head).toEqual(batch(0).head)
      expect(await readAll(engine.log, kept.start.head.n)).toHaveLength(1)
    })

    it('gives a lease to nobody else while it holds, and again to its holder', async () => {
      expect(await engine.other.acquire('b')).toBeUndefined()
      const again = await engine.log.acquire('a')
      expect(again).toMatchObject({ holder: 'a', term: lease.term + 1 })
      expect(await refusalOf(engine.log.append(lease, batch(0)))).toBe('LeaseLostError')
    })

    it('gives it to another one when it is over or was given back; the old term appends nothing and renews nothing', async () => {
      await engine.log.append(lease, batch(0))
      await engine.expire()
      const next = await engine.other.acquire('b')
      expect(next).toMatchObject({ holder: 'b', term: lease.term + 1 })
      expect(await refusalOf(engine.log.append(lease, batch(1)))).toBe('LeaseLostError')
      expect(await refusalOf(engine.log.renew(lease))).toBe('LeaseLostError')
      await engine.log.release(lease)
      expect(await engine.log.acquire('a')).toBeUndefined()
      if (next === undefined) throw new Error('no lease')
      await engine.other.append(next, batch(1))
      await engine.other.release(next)
      expect(await engine.log.acquire('a')).toMatchObject({ term: lease.term + 2 })
      expect((await engine.log.state())?.head).toEqual(batch(1).head)
    })

    it('goes on appending after its time as long as nobody else has the lease', async () => {
      await engine.expire()
      await engine.log.append(lease, batch(0))
      await engine.log.renew(lease)
      expect(await engine.other.acquire('b')).toBeUndefined()
    })

    it('takes one of two batches that are sent for one place at the same time', async () => {
      const outcomes = await Promise.all(
        [engine.log, engine.other].map(async (each) => await refusalOf(each.append(lease, batch(0))))
      )
      expect(outcomes.toSorted()).toEqual(['HeadMovedError', 'taken'])
      expect(await readAll(engine.log, kept.start.head.n)).toHaveLength(1)
    })
  })
}
