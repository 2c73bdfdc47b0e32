import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { createNetwork } from '../../../../src/registry/create-network.ts'
import { type EntryDraft, Root } from '../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../src/registry/log/replica.ts'
import type { Signed } from '../../../../src/registry/objects/envelope.ts'
import { LogTable } from '../../../../src/registry/store/log-table.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { keyNumber, LogNetwork, type OpenStore, refusalOf, sendDelta } from '../../../helpers/log-network.ts'
import { WokenServices } from '../../../helpers/registry/woken-services.ts'

let network: LogNetwork
let store: OpenStore & { root: Root }
let root: Root
let replica: Replica

const key = (member: number): Uint8Array => keyNumber(member).publicKey
const admit = (member: number, name?: string): EntryDraft =>
  network.admit(replica.networkId, member, name === undefined ? {} : { name })

beforeEach(async () => {
  network = new LogNetwork()
  store = await network.start()
  root = store.root
  replica = store.replica
})

describe('a new network', () => {
  it('has its founder as member, as root, and a checkpoint over that', () => {
    expect(replica.head.n).toBe(2)
    expect(replica.checkpoint?.value).toMatchObject({ epoch: 0, n: 2, rows: 3 })
    expect(replica.state.memberByName('root')?.role).toBe('root')
    expect(replica.state.rootRegistry()?.publicKey).toEqual(network.rootKey.publicKey)
    expect(replica.isMember(network.rootKey.publicKey)).toBe(true)
  })

  it('is not made in a store that has one', async () => {
    store.close()
    expect(await refusalOf(network.create(store.path))).toBe('StoreError')
    const again = await network.open(store.path)
    expect(again.replica.head.n).toBe(2)
  })

  it('is made anew where a crash left a genesis without a founder', async () => {
    const other = new LogNetwork()
    const path = other.newPath()
    const { genesis } = await network.create()
    const begun = await other.open(path, genesis.bytes)
    begun.close()
    await createNetwork({
      path,
      domain: 'example.org',
      name: 'Anew',
      policy: genesis.value.policy,
      authority: network.authority,
      nextAuthorityDigest: genesis.value.nextAuthorityDigest,
      founder: { key: network.rootKey, name: 'root', logKey: network.logKey }
    })
    const made = await other.open(path)
    expect(made.replica.genesis.value.name).toBe('Anew')
  })
})

describe('appending', () => {
  it('puts all that is asked for in one tick under one checkpoint', async () => {
    const checkpoints: Signed<unknown>[] = []
    const batches: number[] = []
    replica.events.addEventListener('checkpoint', ({ detail }) => checkpoints.push(detail.checkpoint))
    replica.events.addEventListener('entries', ({ detail }) => batches.push(detail.entries.length))
    const entries = await Promise.all(Array.from({ length: 100 }, (_, i) => root.append([admit(i + 1)])))
    expect(entries.flat().map(({ value }) => value.n)).toEqual(Array.from({ length: 100 }, (_, i) => i + 3))
    expect(batches).toEqual([100])
    expect(checkpoints).toHaveLength(1)
    expect(replica.checkpoint?.value.n).toBe(102)
  })

  it('is durable when it resolves', async () => {
    await root.append([admit(1)])
    store.close()
    const again = await network.open(store.path)
    expect(again.replica.isMember(key(1))).toBe(true)
    expect(again.replica.head.n).toBe(3)
  })

  it('refuses one request without harm to the others', async () => {
    const [one, two, three, four] = await Promise.all([
      refusalOf(root.append([admit(1, 'same')])),
      refusalOf(root.append([admit(2, 'same')])),
      refusalOf(root.append([admit(3), network.revoke(3), network.renew(replica, 3)])),
      refusalOf(root.append([admit(4)]))
    ])
    expect([one, two, three, four]).toEqual(['taken', 'NameTakenError', 'RevokedError', 'taken'])
    expect(replica.state.memberByName('same')?.publicKey).toEqual(key(1))
    expect(replica.state.revoked(key(3))).toBeUndefined()
    expect(replica.head.n).toBe(4)
    store.close()
    expect((await network.open(store.path)).replica.state.root()).toEqual(replica.state.root())
  })

  it('takes a name over in one batch, or not at all', async () => {
    await root.append([admit(1, 'web')])
    expect(await refusalOf(root.append([admit(2, 'web')]))).toBe('NameTakenError')
    await root.append([network.revoke(1), admit(2, 'web')])
    expect(replica.state.memberByName('web')?.publicKey).toEqual(key(2))
  })

  it('commits what the caller writes together with the entries, or neither', async () => {
    const table = store.db
    table.exec('CREATE TABLE used (n INTEGER) STRICT')
    const write = (n: number) => () => {
      table.prepare('INSERT INTO used VALUES (?)').run(n)
    }
    const used = (): unknown[] => table.prepare('SELECT n FROM used').pluck().all()
    const spent = (): never => {
      write(9)()
      throw new Error('spent')
    }
    const results = await Promise.all([
      refusalOf(root.append([admit(1)], { inCommit: write(1) })),
      refusalOf(root.append([admit(2, 'm1')], { inCommit: write(2) })),
      refusalOf(root.append([admit(3)], { inCommit: spent })),
      refusalOf(root.append([], { inCommit: write(4) }))
    ])
    expect(results).toEqual(['taken', 'NameTakenError', 'Error', 'taken'])
    expect(used()).toEqual([1, 4])
    expect(replica.head.n).toBe(3)
  })

  it('leaves nothing behind when the disk is full, and goes on when there is room', async () => {
    await root.append([admit(1)])
    const before = { head: replica.head, checkpoint: replica.checkpoint, root: replica.state.root() }
    const told: number[] = []
    replica.events.addEventListener('entries', ({ detail }) => told.push(detail.entries.length))
    const pages = Number(store.db.pragma('page_count', { simple: true }))
    store.db.pragma(`max_page_count = ${pages}`)
    const many = Array.from({ length: 200 }, (_, i) => root.append([admit(i + 10)]))
    const names = await Promise.all(many.map(refusalOf))
    expect(new Set(names)).toEqual(new Set(['StoreError']))
    expect({ head: replica.head, checkpoint: replica.checkpoint, root: replica.state.root() }).toEqual(before)
    expect(replica.isMember(key(10))).toBe(false)
    expect(told).toEqual([])
    store.db.pragma('max_page_count = 1000000')
    const [entry] = await root.append([admit(10)])
    expect(entry?.value.n).toBe(4)
    store.close()
    expect((await network.open(store.path)).replica.state.root()).toEqual(replica.state.root())
  })

  it('fails when the store is closed, and takes no more than it can hold', async () => {
    expect(await refusalOf(root.append(Array.from({ length: 501 }, (_, i) => admit(i + 1))))).toBe('UnavailableError')
    store.commit.close()
    expect(await refusalOf(root.append([admit(1)]))).toBe('StoreError')
    expect(await refusalOf(root.append([admit(1)]))).toBe('StoreError')
  })

  it('goes through more than one batch in the order of the calls', async () => {
    const batches: number[] = []
    replica.events.addEventListener('entries', ({ detail }) => batches.push(detail.entries.length))
    await Promise.all(Array.from({ length: 700 }, (_, i) => root.append([admit(i + 1)])))
    expect(batches.reduce((sum, each) => sum + each, 0)).toBe(700)
    expect(Math.max(...batches)).toBeLessThanOrEqual(500)
    expect(replica.state.memberCount).toBe(701)
  })

  it('never sets the time back', async () => {
    await root.append([admit(1)])
    const before = replica.timeMs
    network.clock.nowMs -= 3_600_000
    await root.append([admit(2)])
    await root.checkpoint()
    expect(replica.checkpoint?.value.timeMs).toBe(before)
  })

  it('comes to the same state in whatever batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), { maxLength: 8 }),
        async (requests) => {
          const one = new LogNetwork()
          const source = await one.start()
          const draft = (member: number): EntryDraft =>
            source.replica.state.member(key(member)) === undefined
              ? one.admit(source.replica.networkId, member)
              : one.revoke(member)
          await Promise.allSettled(requests.map((members) => source.root.append(members.map(draft))))
          const follower = await one.follower(source.replica)
          await sendDelta(source.replica, follower.replica)
          expect(follower.replica.state.root()).toEqual(source.replica.state.root())
          source.close()
          const again = await one.open(source.path)
          expect(again.replica.state.root()).toEqual(follower.replica.state.root())
        }
      ),
      { numRuns: 15 }
    )
  })
})

describe('a root that must not append', () => {
  it('is fenced until it is released', async () => {
    root.fence('heads of others are waited for')
    expect(await refusalOf(root.append([admit(1)]))).toBe('UnavailableError')
    expect(root.refusal?.message).toContain('heads of others')
    root.release()
    expect(await refusalOf(root.append([admit(1)]))).toBe('taken')
    expect(root.refusal).toBeUndefined()
  })

  it('has another log key than the epoch', async () => {
    const foreign = network.rootOf(replica, keyNumber(77))
    expect(await refusalOf(foreign.append([admit(1)]))).toBe('NotRootError')
    await foreign.start(new WokenServices())
    expect(replica.head.n).toBe(2)
  })

  it('has been closed', async () => {
    const last = root.append([admit(1)])
    await root.close()
    expect(await refusalOf(last)).toBe('taken')
    expect(await refusalOf(root.append([admit(2)]))).toBe('UnavailableError')
  })
})

/** Time of the next checkpoint. */
const nextCheckpoint = (): Promise<number> =>
  new Promise((resolve) => {
    replica.events.addEventListener('checkpoint', ({ detail }) => resolve(detail.checkpoint.value.timeMs), {
      once: true
    })
  })

describe('the checkpoint of a quiet log', () => {
  it('is signed anew every 60 s, except while the root is fenced', async () => {
    const services = new WokenServices()
    await root.start(services)
    await root.start(services)
    expect(services.services.get('checkpoints')?.everyMs).toBe(60_000)
    network.clock.nowMs += 60_000
    const first = nextCheckpoint()
    services.wake('checkpoints')
    expect(await first).toBe(network.clock.nowMs)
    root.fence('test')
    services.wake('checkpoints')
    root.release()
    network.clock.nowMs += 60_000
    const second = nextCheckpoint()
    services.wake('checkpoints')
    expect(await second).toBe(network.clock.nowMs)
  })

  it('that cannot be written is told, counted and tried again', async () => {
    const services = new WokenServices()
    const { promise: told, resolve } = Promise.withResolvers<string>()
    const logger = { ...silentLogger, error: (_: object, message: string) => resolve(message) }
    const other = new Root({ replica, logKey: network.logKey, nodeKey: network.rootKey, logger })
    await other.start(services)
    store.commit.close()
    services.wake('checkpoints')
    expect(await told).toContain('tried again')
    expect(services.parts).toMatchObject([{ name: 'checkpoints', state: 'failing', errors: 1 }])
    await other.stop()
  })
})

describe('LogTable', () => {
  it('has the entries about a key', async () => {
    await root.append([admit(1), network.revoke(1)])
    const about = new LogTable(store.db).about(key(1))
    expect(about.map(({ n }) => n)).toEqual([3, 4])
    expect(about.map(({ superseded }) => superseded)).toEqual([4, null])
  })
})
