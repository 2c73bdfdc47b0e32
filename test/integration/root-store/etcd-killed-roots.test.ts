import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RootCandidates } from '../../helpers/hosts/root-candidates.ts'
import type { Flags } from '../../helpers/network.ts'
import { Between } from '../../helpers/servers/between.ts'
import { EtcdCluster, hasEtcd } from '../../helpers/servers/etcd.ts'

const members = [0, 1, 2]

describe.runIf(hasEtcd)('candidates whose log is in etcd', () => {
  let cluster: EtcdCluster
  /** Ways of candidate a to etcd. */
  const ways: Between[] = []
  let candidates: RootCandidates

  beforeAll(async () => {
    cluster = await EtcdCluster.start(members.length)
    for (const i of members) ways.push(await Between.start(cluster.clientPort(i)))
    const own = { 'root.store': cluster.url(ways.map(({ port }) => `[::1]:${port}`)) }
    candidates = await RootCandidates.start(
      cluster.url(),
      new Map<string, Flags>([
        ['a', own],
        ['b', {}]
      ])
    )
  })

  afterAll(async () => {
    await candidates[Symbol.asyncDispose]()
    for (const way of ways) await way[Symbol.asyncDispose]()
    await cluster[Symbol.asyncDispose]()
  })

  const holder = async (): Promise<unknown> => JSON.parse((await cluster.stored('term')) ?? '{}').holder

  const isWhole = async (): Promise<void> => await candidates.isWhole(holder)

  it('take over from a root that stops, is killed or is frozen, and keep what it had let in', async () => {
    const first = await candidates.root()
    await candidates.admit(first)
    await candidates.at(first).kill()
    await expect.poll(() => candidates.rootName()).toBe(candidates.other(first))
    await candidates.admit(candidates.other(first))
    await candidates.spawn(first)

    candidates.at(candidates.other(first)).freeze()
    await expect.poll(() => candidates.rootName()).toBe(first)
    await candidates.admit(first)
    candidates.at(candidates.other(first)).thaw()
    await candidates.isSecondary(candidates.other(first))
    await candidates.admit(candidates.other(first))
    expect(candidates.rootName()).toBe(first)
    await isWhole()
  })

  it('go on when the leader of etcd is killed, and when two members were gone', async () => {
    const first = await candidates.root()
    const leader = await cluster.leader(0)
    await cluster.kill(leader)
    await candidates.admit(first)
    const second = (leader + 1) % members.length
    await cluster.kill(second)
    const waiting = candidates.admit(first)
    cluster.up(second)
    await waiting
    cluster.up(leader)
    await cluster.isReady()
    await candidates.admit(await candidates.root())
    await isWhole()
  })

  it('take over from a root that is cut off from etcd but not from members, and it appends nothing more', async () => {
    await candidates.makeRoot('a')
    await candidates.admit('a')
    for (const each of ways) each.way = 'cut'
    await expect.poll(() => candidates.rootName()).toBe('b')
    await candidates.admit('b')
    for (const each of ways) each.way = 'open'
    await candidates.isSecondary('a')
    await candidates.admit('a')
    expect(candidates.rootName()).toBe('b')
    await isWhole()
  })

  it('bring the log to an etcd that has lost it', async () => {
    const name = await candidates.root()
    await cluster.clear()
    await expect.poll(async () => await cluster.stored('head')).toBeDefined()
    await candidates.admit(name)
    await candidates.admit(await candidates.root())
    await isWhole()
  })

  it('bring an etcd forward that was restored from an older copy', async () => {
    const headN = async (): Promise<number> => JSON.parse((await cluster.stored('head')) ?? '{"n":0}').n
    const restore = await cluster.copy()
    await candidates.admit(await candidates.root())
    const n = await headN()
    await restore()
    await candidates.admit(await candidates.root())
    await expect.poll(headN).toBeGreaterThan(n)
    await isWhole()
  })

  it('are one root when both start at once', async () => {
    await Promise.all(['a', 'b'].map(async (name) => await candidates.at(name).kill()))
    await Promise.all([candidates.spawn('a'), candidates.spawn('b')])
    await isWhole()
    await candidates.admit(await candidates.root())
    await isWhole()
  })
})
