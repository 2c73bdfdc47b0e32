import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { etcdTarget } from '../../../src/node/config/field-types/etcd-url.ts'
import { EtcdRootLog } from '../../../src/node/root/store/etcd/etcd-root-log.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { refusalOf } from '../../helpers/log-network.ts'
import { movedLogSuite } from '../../helpers/registry/moved-log-suite.ts'
import { type LogToKeep, logToKeep, rootLogSuite } from '../../helpers/registry/root-log-suite.ts'
import { EtcdCluster, hasEtcd } from '../../helpers/servers/etcd.ts'

const long = { attemptMs: ceilingMs, totalMs: ceilingMs }

describe.runIf(hasEtcd)('etcd', () => {
  let cluster: EtcdCluster

  const logOf = ({ store }: LogToKeep, { leaseMs = 600_000, url = cluster.url() } = {}) => {
    const target = etcdTarget(url)
    if ('problem' in target) throw new Error(target.problem)
    const patience = { ask: long, append: long }
    const log = new EtcdRootLog({ target, networkId: store.replica.networkId, leaseMs, patience })
    onTestFinished(async () => await log[Symbol.asyncDispose]())
    return log
  }

  beforeAll(async () => {
    cluster = await EtcdCluster.start(1)
  })

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]()
  })

  const open = async (kept: LogToKeep) => {
    // Every network has the same genesis in the tests.
    await cluster.clear()
    return { log: logOf(kept), other: logOf(kept), expire: async () => await cluster.endLeases() }
  }

  rootLogSuite('etcd', open)
  movedLogSuite('etcd', open)

  const begun = async () => {
    await cluster.clear()
    const kept = await logToKeep()
    const log = logOf(kept, { leaseMs: 1000 })
    const lease = await log.begin('a', kept.start)
    const [first, second] = kept.batches
    if (lease === undefined || first === undefined || second === undefined) throw new Error('it was begun')
    return { kept, log, lease, first, second }
  }

  it('gives a lease to another one when its time is over by the clock of etcd', async () => {
    const { kept } = await begun()
    const other = logOf(kept)
    const { clockMs = 0 } = (await other.state()) ?? {}
    expect(Math.abs(Date.now() - clockMs)).toBeLessThan(ceilingMs)
    await expect
      .poll(async () => await other.acquire('b'), { timeout: ceilingMs })
      .toMatchObject({ holder: 'b', term: 2 })
  })

  it('lets one of two candidates have a lease that they ask for in the same moment', async () => {
    const { kept, lease, log, first } = await begun()
    await log.release(lease)
    const candidates = ['b', 'c', 'd', 'e'].map((holder) => logOf(kept).acquire(holder))
    const given = (await Promise.all(candidates)).filter((each) => each !== undefined)
    expect(given).toHaveLength(1)
    expect(given[0]?.term).toBe(lease.term + 1)
    expect(await refusalOf(log.append(lease, first))).toBe('LeaseLostError')
  })

  it('tells candidates of each other, as long as they say that they are there', async () => {
    const { kept, log } = await begun()
    const other = logOf(kept)
    expect(await log.attend('a')).toEqual([])
    expect(await other.attend('b')).toEqual(['a'])
    expect(await log.attend('a')).toEqual(['b'])
    await cluster.endLeases()
    expect(await other.attend('b')).toEqual([])
    expect(await log.attend('a')).toEqual(['b'])
  })

  it('gives the whole history in pages, whatever the size of its batches', async () => {
    const { kept, log, lease } = await begun()
    const { start } = kept
    const hash = (n: number): Uint8Array => Uint8Array.from(Buffer.alloc(32, n % 256))
    let after = start.head
    let n = start.head.n
    const sizes: number[] = []
    for (const count of [1, 300, 300, 2, 300, 1]) {
      const entries = Array.from({ length: count }, () => ({
        n: ++n,
        envelope: new Uint8Array(2000 + (n % 7)).fill(n)
      }))
      sizes.push(...entries.map(({ envelope }) => envelope.length))
      const head = { epoch: 0, n, hash: hash(n) }
      await log.append(lease, { after, entries, head, checkpoint: start.checkpoint })
      after = head
    }
    const read: number[] = []
    for (let from = start.head.n; ; ) {
      const page = await log.read(from)
      if (page.length === 0) break
      expect(page[0]?.n).toBe(from + 1)
      read.push(...page.map(({ envelope }) => envelope.length))
      from = page.at(-1)?.n ?? from
    }
    expect(read).toEqual(sizes)
    expect((await log.read(start.head.n + 150))[0]?.n).toBe(start.head.n + 151)
    const big = Array.from({ length: 600 }, () => ({ n: ++n, envelope: new Uint8Array(2000) }))
    const tooMuch = { after, entries: big, head: { epoch: 0, n, hash: hash(n) }, checkpoint: start.checkpoint }
    await expect(log.append(lease, tooMuch)).rejects.toThrow(/1202400 bytes/)
    expect((await log.state())?.head).toEqual(after)
  })

  it('takes nobody without a certificate of its authority, and is taken by nobody with another one', async () => {
    const { kept } = await begun()
    const certified = (name: string, ca = 'ca'): string =>
      cluster
        .url()
        .replace('client.crt', `${name}.crt`)
        .replace('client.key', `${name}.key`)
        .replace('/ca.crt', `/${ca}.crt`)
    await expect(logOf(kept, { url: certified('stranger') }).state()).rejects.toThrow(/certificate/)
    await expect(logOf(kept, { url: certified('client', 'other-ca') }).state()).rejects.toThrow(/certificate|signature/)
    await expect(logOf(kept, { url: certified('missing') }).state()).rejects.toThrow(/missing\.crt/)
    expect(await logOf(kept, { url: certified('client') }).state()).toBeDefined()
  })

  it('names what another program has written in its place, and does not take it', async () => {
    const { kept, log } = await begun()
    const { kvs } = await cluster.ask(0, '/v3/kv/range', { key: 'Lw==', range_end: 'MA==' })
    const keys = (Array.isArray(kvs) ? kvs : []).map(({ key }) => String(key))
    for (const name of ['head', 'term']) {
      const key = keys.find((each) => Buffer.from(each, 'base64').toString().endsWith(`/${name}`))
      const { kvs: before } = await cluster.ask(0, '/v3/kv/range', { key })
      await cluster.ask(0, '/v3/kv/put', { key, value: Buffer.from('{"n":"many"}').toString('base64') })
      await expect(log.state()).rejects.toThrow(new RegExp(`/${name} in etcd is not of this program`))
      await cluster.ask(0, '/v3/kv/put', { key, value: Array.isArray(before) ? before[0].value : '' })
    }
    expect((await log.state())?.head).toEqual(kept.start.head)
  })

  it('takes no more when it is full, says what to do, and goes on when that was done', async () => {
    await using small = await EtcdCluster.start(1, ['--quota-backend-bytes=8388608'])
    const kept = await logToKeep()
    const log = logOf(kept, { url: small.url() })
    const lease = await log.begin('a', kept.start)
    if (lease === undefined) throw new Error('it was begun')
    let { head } = kept.start
    const append = async (): Promise<void> => {
      const n = head.n + 1
      const next = { epoch: 0, n, hash: Uint8Array.from(Buffer.alloc(32, n)) }
      const entries = [{ n, envelope: new Uint8Array(16_384) }]
      await log.append(lease, { after: head, entries, head: next, checkpoint: kept.start.checkpoint })
      head = next
    }
    await append()
    const value = Buffer.alloc(400_000).toString('base64')
    await expect.poll(async () => await refusalOf(small.ask(0, '/v3/kv/put', { key: 'YQ==', value }))).not.toBe('taken')
    await expect(append()).rejects.toThrow(
      /is full \(.*database space exceeded\).*"etcd is full" in docs\/operations\.md/
    )
    expect((await log.state())?.head).toEqual(head)
    expect(await log.weaknesses()).toEqual(['members: 1', 'alarm: NOSPACE'])
    await log.renew(lease)

    await small.makeRoom()
    await append()
    expect((await log.read(kept.start.head.n)).map(({ n }) => n)).toEqual([head.n - 1, head.n])
    expect(await log.weaknesses()).toEqual(['members: 1'])
  })
})
