import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Hint } from '../../../../src/registry/liveness/liveness.ts'
import type { Logger } from '../../../../src/runtime/clock-and-logger.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { ann, bob, eve, keyNumber, self, World } from '../../../helpers/registry/liveness.ts'

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world[Symbol.dispose]())

describe('liveness that is run in a process', () => {
  it('writes what was observed with the next batch, and a member that is forgotten is gone from the disk at once', async () => {
    world.open(ann)
    world.open(bob)
    expect(world.store.nodes.all()).toEqual([])
    await world.service.save()
    expect(world.store.nodes.all()).toHaveLength(2)
    world.liveness.forget(ann)
    await world.service.save()
    expect(world.store.nodes.get(ann)).toBeUndefined()
    expect(world.store.nodes.get(bob)?.state).toBe(1)
  })

  it('keeps in memory what could not be written, and writes it with the next batch', async () => {
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) }
    let isFull = true
    const write = async <T>(run: () => T): Promise<T> => {
      if (isFull) throw new Error('the disk is full')
      return await world.store.write(run)
    }
    world.restart({ logger, write })
    world.open(ann).beat({ connected: [bob] })
    world.open(bob)
    world.liveness.forget(bob)
    await world.service.save()
    expect(warnings.join()).toContain('could not be written')
    expect(world.store.nodes.all()).toEqual([])
    isFull = false
    await world.service.save()
    expect(world.store.nodes.all()).toHaveLength(1)
    expect(world.store.nodes.peers()).toHaveLength(1)
  })

  it('one that is forgotten and admitted again before the batch keeps its new row', async () => {
    world.open(ann)
    await world.service.save()
    world.liveness.forget(ann)
    world.open(ann, 2)
    world.liveness.notes.learned(ann, 'gossip')
    await world.service.save()
    expect(world.store.nodes.get(ann)).toMatchObject({ state: 1, learnedFrom: 'session' })
  })

  it('goes on after a restart with all that a row has', async () => {
    world.open(ann).beat({ connected: [bob] })
    world.liveness.notes.connected(ann, '/ip6/2001:db8::1/tcp/9000')
    world.liveness.notes.failed(ann, 'connection refused')
    world.liveness.notes.served(ann)
    const before = world.liveness.view(ann)
    await world.service.stop()
    world.restart()
    const { reputation, learnedFrom, firstSeenMs, lastAddress, lastConnectedMs, lastError, lastErrorMs } =
      world.liveness.view(ann)
    expect({ reputation, learnedFrom, firstSeenMs, lastAddress, lastConnectedMs, lastError, lastErrorMs }).toEqual({
      reputation: before.reputation,
      learnedFrom: before.learnedFrom,
      firstSeenMs: before.firstSeenMs,
      lastAddress: before.lastAddress,
      lastConnectedMs: before.lastConnectedMs,
      lastError: before.lastError,
      lastErrorMs: before.lastErrorMs
    })
  })

  it('says once that it doubts itself, and how many leases it holds', () => {
    const warned: object[] = []
    const logger: Logger = { ...silentLogger, warn: (fields: object) => warned.push(fields) }
    world.restart({ logger })
    world.openAll(1, 20)
    world.pass(100)
    expect(warned).toEqual([{ leases: 20, reason: expect.stringContaining('leases run out') }])
    world.pass(30)
    expect(warned).toHaveLength(1)
  })

  it('tells of pulses, its own and those of other registries, and of nothing else at once', () => {
    let pulses = 0
    const hints: Hint[] = []
    world.restart({ onPulse: () => pulses++, onHints: (some) => hints.push(...some) })
    world.open(ann)
    expect([pulses, hints.length]).toEqual([0, 0])
    world.pulse(eve)
    expect(pulses).toBe(1)
    world.pass(3)
    expect(pulses).toBe(4)
    expect(hints).toEqual([])
  })

  it('tells everybody that it goes before it has gone', () => {
    const hints: Hint[] = []
    world.restart({ onHints: (some) => hints.push(...some) })
    world.open(ann)
    world.liveness.leaving('an update')
    expect(hints.map(({ publicKey, state, reason }) => ({ publicKey, state, reason }))).toEqual([
      { publicKey: ann, state: 'online', reason: '' },
      { publicKey: self, state: 'left', reason: 'left: an update' }
    ])
  })
})

describe('the core of liveness', () => {
  it('has no timers: a member whose process is not given time stays as it was', () => {
    world.open(ann)
    world.clock.advance(3_600_000)
    expect(world.stateOf(ann)).toBe('online')
    // The hour was a stall of this process, which nobody is blamed for.
    world.liveness.tick()
    expect(world.stateOf(ann)).toBe('online')
  })

  it('gives each that looks different once, in one answer, and itself at first', () => {
    world.open(ann)
    world.open(ann, 1).lost('power')
    world.open(bob)
    expect(world.liveness.takeChanged().map(({ publicKey, state }) => [publicKey, state])).toEqual([
      [ann, 'suspect'],
      [bob, 'online'],
      [self, 'online']
    ])
    expect(world.liveness.takeChanged()).toEqual([])
    world.liveness.forget(bob)
    expect(world.liveness.takeChanged()).toEqual([])
  })

  it('of the same events makes the same view, whatever the time on the wall', () => {
    const other = new World()
    onTestFinished(() => other[Symbol.dispose]())
    other.clock.setWall(0)
    const views = [world, other].map((each) => {
      const leases = each.openAll(1, 5)
      each.pass(70, (second) => second % 30 === 0 && leases[0]?.beat())
      leases[1]?.lost('cable')
      leases[2]?.left('holiday')
      leases[3]?.probeUnanswered()
      leases[3]?.probeUnanswered()
      each.pass(5)
      return each.liveness.views().map(({ state, reason, sinceAgeMs, heardAgeMs }) => ({
        state,
        reason,
        sinceAgeMs,
        heardAgeMs
      }))
    })
    expect(views[0]).toEqual(views[1])
    expect(views[0]?.map(({ state }) => state)).toEqual(['online', 'online', 'suspect', 'left', 'suspect', 'suspect'])
  })

  it('takes nothing of strangers, of itself from others, nor for itself from a lease of its own key', () => {
    const isMember = (key: Uint8Array): boolean => key !== bob
    world.restart({ network: { isMember } })
    expect(() => world.open(bob)).toThrow('only a member holds a lease')
    expect(world.liveness.hear({ ...world.liveness.takeChanged().at(0) } as Hint, eve)).toBe(false)
    world.liveness.notes.served(bob)
    world.liveness.notes.learned(self, 'gossip')
    expect(world.liveness.views()).toHaveLength(1)
    expect(world.liveness.view(self)).toMatchObject({ state: 'online', reason: 'this process', own: true })
  })

  it('knows who is in which state, ascending, page by page', () => {
    const leases = world.openAll(1, 9)
    leases[4]?.lost()
    const first = world.liveness.states.keysIn('online', undefined, 4)
    expect(first).toHaveLength(4)
    const rest = world.liveness.states.keysIn('online', first?.at(-1), 10)
    expect([...(first ?? []), ...(rest ?? [])].map((key) => key[3])).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9])
    expect(world.liveness.states.keysIn('suspect', undefined, 10)).toEqual([keyNumber(5)])
    expect(world.liveness.states.keysIn('unknown', undefined, 10)).toBeUndefined()
  })
})
