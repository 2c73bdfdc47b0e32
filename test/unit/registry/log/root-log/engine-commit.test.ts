import * as fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Root, sealDelegation } from '../../../../../src/registry/log/log-writer.ts'
import { EngineCommit } from '../../../../../src/registry/log/root-log/engine-commit.ts'
import type { RootLease } from '../../../../../src/registry/log/root-log/root-log.ts'
import { silentLogger } from '../../../../../src/runtime/clock-and-logger.ts'
import { keyNumber, LogNetwork, type OpenStore, refusalOf, sendDelta } from '../../../../helpers/log-network.ts'
import { type Fate, ModelRootLog } from '../../../../helpers/registry/model-root-log.ts'

/** A root or candidate: a store of its own, and perhaps the lease. */
interface Seat {
  readonly name: string
  readonly store: OpenStore
  readonly root: Root
  lease: RootLease | undefined
}

let network: LogNetwork
let model: ModelRootLog
let first: Seat
let second: Seat
let members = 0

const seatOn = (name: string, store: OpenStore, logKey = network.logKey): Seat => {
  const { replica } = store
  const log = new EngineCommit({
    engine: model,
    lease: () => seat.lease,
    onLease: (before, now) => {
      if (seat.lease?.term === before.term) seat.lease = now
    },
    replica,
    logger: silentLogger,
    pauseMs: 0
  })
  const root = new Root({ replica, logKey, nodeKey: network.rootKey, logger: silentLogger, log })
  onTestFinished(() => root.stop())
  const seat: Seat = { name, store, root, lease: undefined }
  return seat
}

/** Two that may be the root, at one head; the first has the lease. */
async function begin(): Promise<void> {
  members = 0
  network = new LogNetwork()
  model = new ModelRootLog(network.clock)
  const { root: founder, ...store } = await network.start()
  await founder.stop()
  const other = await network.follower(store.replica)
  await sendDelta(store.replica, other.replica)
  first = seatOn('first', store)
  second = seatOn('second', other)
  const { head, checkpoint } = store.replica
  first.lease = await model.begin('first', { head, checkpoint: checkpoint?.bytes ?? new Uint8Array() })
}

async function takeOver(seat: Seat): Promise<void> {
  network.clock.nowMs += 3001
  seat.lease = (await model.acquire(seat.name)) ?? seat.lease
}

const admit = async ({ root, store }: Seat): Promise<number> => {
  const member = ++members
  network.clock.nowMs += 1
  await root.append([network.admit(store.replica.networkId, member)])
  return member
}

const has = ({ store }: Seat, member: number): boolean =>
  store.replica.state.member(keyNumber(member).publicKey) !== undefined

const headOf = async () => (await model.state())?.head

beforeEach(begin)

describe('a root whose log an engine keeps', () => {
  it('has nothing in its own store that the engine does not have', async () => {
    const member = await admit(first)
    expect(has(first, member)).toBe(true)
    expect(first.store.replica.head).toEqual(await headOf())
    model.fate = () => 'request lost'
    expect(await refusalOf(admit(first))).toBe('UnavailableError')
    expect(first.store.replica.head).toEqual(await headOf())
    expect(has(first, member + 1)).toBe(false)
  })

  it('finds its entries in the engine when the answer was lost', async () => {
    model.fate = () => 'answer lost'
    expect(has(first, await admit(first))).toBe(true)
  })

  it('goes on behind entries that came after it had given them up', async () => {
    model.fate = () => 'comes late'
    expect(await refusalOf(admit(first))).toBe('UnavailableError')
    model.arrive()
    model.fate = () => 'answered'
    const member = await admit(first)
    expect([has(first, member - 1), has(first, member)]).toEqual([true, true])
  })

  it('appends nothing under an old term, and its place is taken by one that has caught up', async () => {
    const member = await admit(first)
    await takeOver(second)
    const next = await admit(second)
    expect([has(second, member), has(second, next)]).toEqual([true, true])
    expect(await refusalOf(admit(first))).toBe('UnavailableError')
    expect(first.lease).toBeUndefined()
    expect(first.root.refusal?.message).toMatch(/does not hold the lease/)
    await takeOver(first)
    await admit(first)
    expect(has(first, next)).toBe(true)
  })

  it('writes beside the log what belongs to its entries, once it is in the engine', async () => {
    const { commit, replica, db } = first.store
    db.exec('CREATE TABLE beside (member INTEGER)')
    await commit.write(() => {})
    const inCommit = (): void => {
      db.exec('INSERT INTO beside VALUES (1)')
    }
    const rows = (): unknown[] => db.prepare('SELECT member FROM beside').all()
    model.fate = () => 'request lost'
    expect(await refusalOf(first.root.append([network.admit(replica.networkId, 1)], { inCommit }))).toBe(
      'UnavailableError'
    )
    expect(rows()).toEqual([])
    model.fate = () => 'answered'
    await first.root.append([network.admit(replica.networkId, 1)], { inCommit })
    expect(rows()).toEqual([{ member: 1 }])
  })

  it('writes beside the log what belongs to entries that come after it had given them up', async () => {
    const { commit, replica, db } = first.store
    db.exec('CREATE TABLE beside (member INTEGER)')
    await commit.write(() => {})
    const rows = (): unknown[] => db.prepare('SELECT member FROM beside').all()
    const append = async (member: number): Promise<string> => {
      const inCommit = (): void => {
        db.prepare('INSERT INTO beside VALUES (?)').run(member)
      }
      return await refusalOf(first.root.append([network.admit(replica.networkId, member)], { inCommit }))
    }
    model.fate = () => 'request lost'
    expect(await append(1)).toBe('UnavailableError')
    model.fate = () => 'comes late'
    expect(await append(2)).toBe('UnavailableError')
    model.arrive()
    model.fate = () => 'answered'
    expect(await append(3)).toBe('taken')
    expect(rows()).toEqual([{ member: 2 }, { member: 3 }])
    expect(await append(4)).toBe('taken')
    expect(rows()).toHaveLength(3)
  })

  /** The authority gives the log another key, in the store of the first one. */
  const openEpoch = async () => {
    await admit(first)
    const { replica } = first.store
    const logKey = keyNumber(1005)
    await replica.apply([sealDelegation(replica, network.authority, logKey.publicKey).bytes])
    await network.rootOf(replica, logKey).checkpoint()
    const { lease } = first
    if (lease === undefined) throw new Error('no lease')
    return { logKey, lease }
  }

  it('ends the epoch of the engine when the authority has opened a newer one in its own store', async () => {
    const { logKey, lease } = await openEpoch()
    const seat = seatOn('first', first.store, logKey)
    seat.lease = lease
    const member = await admit(seat)
    expect(has(seat, member)).toBe(true)
    expect(await headOf()).toEqual(seat.store.replica.head)
    expect((await headOf())?.epoch).toBe(1)
    expect(seat.lease?.term).toBe(lease.term + 1)
    expect(await refusalOf(model.renew(lease))).toBe('LeaseLostError')
  })

  it('brings no epoch of another root to the engine', async () => {
    const { lease } = await openEpoch()
    const seat = seatOn('first', first.store)
    seat.lease = lease
    expect(await refusalOf(seat.root.checkpoint())).toBe('NotRootError')
    expect((await headOf())?.epoch).toBe(0)
  })

  it('brings an engine that was restored from an older copy to its own head', async () => {
    await admit(first)
    await admit(first)
    const { replica } = first.store
    const old = new ModelRootLog(network.clock)
    const start = first.store.replica.ledger.table.get(2)
    if (start === undefined || replica.checkpoint === undefined) throw new Error('no entry')
    const head = { epoch: 0, n: 2, hash: Uint8Array.from(start.hash) }
    const lease = await old.begin('first', { head, checkpoint: replica.checkpoint.bytes })
    const log = new EngineCommit({ engine: old, lease: () => lease, onLease: () => {}, replica, logger: silentLogger })
    const root = new Root({ replica, logKey: network.logKey, nodeKey: network.rootKey, logger: silentLogger, log })
    onTestFinished(() => root.stop())
    await root.append([network.admit(replica.networkId, 99)])
    expect((await old.state())?.head).toEqual(replica.head)
    expect(old.history.map(({ n }) => n)).toEqual([3, 4, 5])
  })

  it('gives the lease back when the engine has dropped what its own store lacks', async () => {
    await admit(first)
    await admit(first)
    model.trim(1)
    await takeOver(second)
    await expect(second.root.checkpoint()).rejects.toThrow(/has the log from 4 on, and this store ends at 2/)
    expect(second.lease).toBeUndefined()
    expect((await model.state())?.lease.leftMs).toBe(0)
    await sendDelta(first.store.replica, second.store.replica)
    await takeOver(second)
    await admit(second)
    expect(second.store.replica.head).toEqual(await headOf())
  })

  it('appends nothing beside another history', async () => {
    await admit(first)
    const { replica } = first.store
    const other = new ModelRootLog(network.clock)
    const head = { ...replica.head, hash: new Uint8Array(32) }
    const lease = await other.begin('first', { head, checkpoint: new Uint8Array() })
    const log = new EngineCommit({
      engine: other,
      lease: () => lease,
      onLease: () => {},
      replica,
      logger: silentLogger
    })
    const root = new Root({ replica, logKey: network.logKey, nodeKey: network.rootKey, logger: silentLogger, log })
    onTestFinished(() => root.stop())
    await expect(root.append([network.admit(replica.networkId, 99)])).rejects.toThrow(/another history/)
  })
})

type Step = 'append 1' | 'append 2' | 'take 1' | 'take 2' | 'arrive'

const append = ['append 1', 'append 2'] as const

/** Two that append and take over in any order, with whatever becomes of requests and answers, and end at one head. */
async function takeTurns(numRuns: number, prepare: () => void): Promise<void> {
  const plans = fc.array(fc.constantFrom<Step>(...append, ...append, 'take 1', 'take 2', 'arrive'), {
    minLength: 5,
    maxLength: 25
  })
  const fates = fc.infiniteStream(
    fc.constantFrom<Fate>('answered', 'answered', 'answer lost', 'request lost', 'comes late', 'comes twice')
  )
  const property = fc.asyncProperty(plans, fates, async (plan, stream) => {
    await begin()
    prepare()
    model.fate = () => stream.next().value
    const acknowledged: number[] = []
    for (const step of plan) {
      const seat = step.endsWith('1') ? first : second
      if (step === 'arrive') model.arrive()
      else if (step.startsWith('take')) await takeOver(seat)
      else
        await admit(seat).then(
          (member) => acknowledged.push(member),
          () => {}
        )
    }
    await meetAtOneHead(acknowledged)
  })
  await fc.assert(property, { numRuns, seed: 16, endOnFailure: true })
}

async function meetAtOneHead(acknowledged: readonly number[]): Promise<void> {
  model.arrive()
  model.fate = () => 'answered'
  for (const seat of [first, second, first]) {
    await takeOver(seat)
    await seat.root.checkpoint()
    expect(seat.store.replica.head).toEqual(await headOf())
    expect(seat.store.replica.isForked).toBe(false)
    expect(acknowledged.filter((member) => !has(seat, member))).toEqual([])
  }
}

describe('two that take turns, over a network that loses, delays and repeats', () => {
  it('have one history with everything that was ever acknowledged', async () => {
    await takeTurns(30, () => {})
  })

  it('would not have it on an engine that compares nothing (control)', async () => {
    const broken = takeTurns(30, () => {
      model.compares = false
    })
    await expect(broken).rejects.toThrow(/Property failed/)
  })
})
