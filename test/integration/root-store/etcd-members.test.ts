import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { etcdTarget } from '../../../src/node/config/field-types/etcd-url.ts'
import { EtcdRootLog } from '../../../src/node/root/store/etcd/etcd-root-log.ts'
import type { LogBatch, RootLease, RootLogStart } from '../../../src/registry/log/root-log/root-log.ts'
import type { Head } from '../../../src/registry/log/state/network-state.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { refusalOf } from '../../helpers/log-network.ts'
import { type LogToKeep, logToKeep } from '../../helpers/registry/root-log-suite.ts'
import { Between } from '../../helpers/servers/between.ts'
import { EtcdCluster, hasEtcd } from '../../helpers/servers/etcd.ts'

const members = [0, 1, 2]
/** As long as an election takes on a busy machine. */
const long = { attemptMs: 2000, totalMs: ceilingMs }
const short = { attemptMs: 500, totalMs: 1500 }

describe.runIf(hasEtcd)('three members of etcd', () => {
  let cluster: EtcdCluster
  let kept: LogToKeep
  let log: EtcdRootLog
  let lease: RootLease
  let head: Head

  const openLog = ({ url = cluster.url(), patience = { ask: long, append: long } } = {}): EtcdRootLog => {
    const target = etcdTarget(url)
    if ('problem' in target) throw new Error(target.problem)
    const { networkId } = kept.store.replica
    const init = { target, networkId, leaseMs: 600_000, patience }
    const opened = new EtcdRootLog(init)
    onTestFinished(async () => await opened[Symbol.asyncDispose]())
    return opened
  }

  /** A batch of one entry, whose bytes say its place. */
  const next = (after = head): LogBatch => {
    const n = after.n + 1
    const entry = { n, envelope: Uint8Array.from(Buffer.from(`entry ${n}`)) }
    const hash = Uint8Array.from(Buffer.alloc(32, n))
    return { after, entries: [entry], head: { epoch: 0, n, hash }, checkpoint: kept.start.checkpoint }
  }

  const append = async (by = log): Promise<void> => {
    const batch = next()
    await by.append(lease, batch)
    head = batch.head
  }

  const history = async (by: EtcdRootLog): Promise<number[]> =>
    (await by.read(kept.start.head.n)).map(({ n, envelope }) => {
      expect(Buffer.from(envelope).toString()).toBe(`entry ${n}`)
      return n
    })

  /** Every entry that was acknowledged, once and in its place, by way of any member. */
  const isWhole = async (): Promise<void> => {
    const due = Array.from({ length: head.n - kept.start.head.n }, (_, i) => kept.start.head.n + 1 + i)
    for (const i of members) {
      const by = openLog({ url: cluster.url([`[::1]:${cluster.clientPort(i)}`]) })
      expect(await history(by)).toEqual(due)
      expect((await by.state())?.head).toEqual(head)
    }
  }

  beforeAll(async () => {
    cluster = await EtcdCluster.start(members.length)
  })

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]()
  })

  beforeEach(async () => {
    await cluster.isReady()
    await cluster.clear()
    kept = await logToKeep()
    const start: RootLogStart = kept.start
    log = openLog()
    const begun = await log.begin('a', start)
    if (begun === undefined) throw new Error('it was begun')
    lease = begun
    head = start.head
  })

  it('go on without one of them, and without their leader', async () => {
    await append()
    const leader = await cluster.leader(0)
    const follower = (leader + 1) % members.length
    await cluster.kill(follower)
    await append()
    await log.renew(lease)
    cluster.up(follower)
    await cluster.isReady()
    await cluster.kill(leader)
    await append()
    await log.renew(lease)
    expect(await openLog().acquire('b')).toBeUndefined()
    cluster.up(leader)
    await cluster.isReady()
    await append()
    await isWhole()
  })

  it('take nothing when two are gone, and say so; nothing is lost, and the root goes on when one is back', async () => {
    await append()
    await cluster.kill(0)
    await cluster.kill(1)
    const hasty = openLog({ patience: { ask: short, append: short } })
    const refused = next()
    expect(await refusalOf(hasty.append(lease, refused))).toMatch(/^(OutcomeUnknownError|UnavailableError)$/)
    await expect(hasty.append(lease, refused)).rejects.toThrow(/etcd at \[?::1\]?:\d+/)
    await expect(hasty.state()).rejects.toThrow(/etcd at/)
    await expect(hasty.renew(lease)).rejects.toThrow(/etcd at/)
    cluster.up(0)
    const found = (await log.state())?.head
    // One that was sent to the last member may be in its log, and come when it has others again.
    expect([head.n, refused.head.n]).toContain(found?.n)
    await expect
      .poll(
        async () =>
          (await refusalOf(log.append(lease, refused))) === 'taken' || (await log.state())?.head.n === refused.head.n
      )
      .toBe(true)
    head = refused.head
    await append()
    cluster.up(1)
    await cluster.isReady()
    await isWhole()
  })

  it('go on without a leader that stands still, which says nothing old when it goes on', async () => {
    await append()
    const leader = await cluster.leader(0)
    const frozen = openLog({ url: cluster.url([`[::1]:${cluster.clientPort(leader)}`]) })
    await frozen.state()
    cluster.freeze(leader)
    try {
      await append()
      await append()
    } finally {
      cluster.thaw(leader)
    }
    expect((await frozen.state())?.head).toEqual(head)
    await isWhole()
  })

  it.each(['silent', 'broken'] as const)('take an append once whose answer was lost (%s)', async (way) => {
    await using between = await Between.start(cluster.clientPort(0))
    const others = [1, 2].map((i) => `[::1]:${cluster.clientPort(i)}`)
    const by = openLog({ url: cluster.url([`[::1]:${between.port}`, ...others]) })
    await append(by)
    between.way = way
    await append(by)
    expect(between.lost).toBeGreaterThan(0)
    await isWhole()
    between.way = 'open'
    await append(by)
    await isWhole()
  })

  it('leave an append whose answers were all lost to whoever reads back', async () => {
    await using between = await Between.start(cluster.clientPort(0))
    const patience = { ask: long, append: { attemptMs: 3000, totalMs: 3000 } }
    const by = openLog({ url: cluster.url([`[::1]:${between.port}`]), patience })
    await by.state()
    between.way = 'silent'
    const batch = next()
    expect(await refusalOf(by.append(lease, batch))).toBe('OutcomeUnknownError')
    await expect.poll(async () => (await log.state())?.head).toEqual(batch.head)
    head = batch.head
    await append()
    await isWhole()
  })

  it('do not give the place of a term that is over to an append that was sent several times', async () => {
    await using between = await Between.start(cluster.clientPort(0))
    const by = openLog({ url: cluster.url([`[::1]:${between.port}`, `[::1]:${cluster.clientPort(1)}`]) })
    await append(by)
    await log.release(lease)
    expect(await log.acquire('b')).toMatchObject({ holder: 'b' })
    between.way = 'broken'
    expect(await refusalOf(by.append(lease, next()))).toBe('OutcomeUnknownError')
    between.way = 'open'
    expect(await refusalOf(by.append(lease, next()))).toBe('LeaseLostError')
    expect((await log.state())?.head).toEqual(head)
  })
})
