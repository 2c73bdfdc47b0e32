import { expect, it } from 'vitest'
import type { SharedRootLog } from '../../../src/node/root/store/shared-root-log.ts'
import { isMoved } from '../../../src/registry/log/root-log/root-log.ts'
import { refusalOf } from '../log-network.ts'
import { type LogToKeep, logToKeep } from './root-log-suite.ts'

interface SharedEngine {
  readonly log: SharedRootLog
  readonly other: SharedRootLog
  expire(): Promise<void>
}

/** Holds a database to what it promises of a log that moves elsewhere and comes back. */
export function movedLogSuite(name: string, open: (kept: LogToKeep) => Promise<SharedEngine>): void {
  it(`gives no lease of a log on ${name} that has moved, until the log comes back with all of it`, async () => {
    const kept = await logToKeep()
    const engine = await open(kept)
    const { log, other } = engine
    const lease = await log.begin('a', kept.start)
    const [first, second, third] = kept.batches
    if (lease === undefined || first === undefined || second === undefined || third === undefined) {
      throw new Error('it was begun')
    }
    await log.append(lease, first)
    await log.moveTo('elsewhere', lease)
    expect(await refusalOf(log.moveTo('nowhere', lease))).toBe('LeaseLostError')
    expect(await refusalOf(log.append(lease, second))).toBe('LeaseLostError')
    expect(await refusalOf(log.renew(lease))).toBe('LeaseLostError')
    await log.release(lease)
    const state = await other.state()
    expect(state?.lease.holder).toBe('moved to elsewhere')
    expect(state && isMoved(state.lease)).toBe(true)
    expect(await log.acquire('a')).toBeUndefined()
    expect(await other.acquire('b')).toBeUndefined()
    expect(await other.begin('b', kept.start)).toBeUndefined()

    const back = await other.begin('b', second)
    expect(back).toMatchObject({ holder: 'b', term: lease.term + 2 })
    expect(await log.begin('a', second)).toBeUndefined()
    if (back === undefined) throw new Error('it has not come back')
    await other.append(back, third)
    expect((await log.state())?.head).toEqual(third.head)
    await engine.expire()
    expect(await log.acquire('a')).toMatchObject({ term: lease.term + 3 })
  })

  it(`takes older entries of a log that began on ${name} at a later one, by the holder of the lease alone`, async () => {
    const kept = await logToKeep()
    const { log, other } = await open(kept)
    const [first, second, third] = kept.batches
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are three batches')
    const lease = await log.begin('a', second)
    if (lease === undefined) throw new Error('it was begun')
    await log.append(lease, third)
    expect(await refusalOf(log.backfill({ ...lease, term: lease.term + 1 }, second.entries))).toBe('LeaseLostError')
    for (const { entries } of [second, first, first]) {
      await log.backfill(lease, entries)
      expect(await other.state()).toMatchObject({ head: third.head, firstN: entries[0]?.n })
    }
    const all = kept.batches.slice(0, 3).flatMap(({ entries }) => entries)
    expect(await other.read(kept.start.head.n)).toEqual(all)
  })
}
