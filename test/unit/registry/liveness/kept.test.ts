import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ann, bob, World } from '../../../helpers/registry/liveness.ts'

let world: World

beforeEach(() => {
  world = new World()
})

afterEach(() => world[Symbol.dispose]())

describe('what is kept of a member', () => {
  it('is its uptime over the observed time, which a restart does not end', async () => {
    const lease = world.open(ann)
    world.pass(3_600, (second) => second % 30 === 0 && lease.beat())
    lease.lost()
    world.pass(1_200)
    expect(world.liveness.view(ann).uptime).toEqual({ percent: 75, windowMs: 4_800_000 })
    await world.service.stop()
    world.clock.advance(86_400_000)
    world.restart()
    expect(world.liveness.view(ann).uptime).toEqual({ percent: 75, windowMs: 4_800_000 })
  })

  it('is no uptime for the time after a goodbye, which was planned', () => {
    const lease = world.open(ann)
    world.pass(600, (second) => second % 30 === 0 && lease.beat())
    lease.left('maintenance')
    world.pass(6_000)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'left', uptime: { percent: 100 } })
  })

  it('is a reputation between 0 and 100 that starts at 50', () => {
    world.liveness.notes.learned(ann, 'gossip')
    expect(world.liveness.view(ann)).toMatchObject({ reputation: 50, learnedFrom: 'gossip', state: 'unknown' })
    world.liveness.notes.served(ann)
    const { reputation } = world.liveness.view(ann)
    expect(reputation).toBeGreaterThan(50)
    for (let i = 0; i < 100; i++) world.liveness.notes.rejected(ann)
    expect(world.liveness.view(ann).reputation).toBe(0)
    const lease = world.open(bob)
    world.pass(7_200, (second) => second % 30 === 0 && lease.beat())
    lease.lost()
    expect(world.liveness.view(bob).reputation).toBeGreaterThan(50)
    expect(world.liveness.view(bob).reputation).toBeLessThan(100)
  })

  it('is written with whom it is connected to, and gone with its membership', async () => {
    const lease = world.open(ann)
    lease.beat({ connected: [bob] })
    world.liveness.notes.connected(ann, '/ip6/2001:db8::1/tcp/9000')
    world.liveness.notes.failed(ann, 'connection refused')
    await world.service.save()
    expect(world.store.nodes.get(ann)).toMatchObject({
      state: 1,
      learnedFrom: 'session',
      lastAddress: '/ip6/2001:db8::1/tcp/9000',
      lastError: 'connection refused',
      lastHeartbeatMs: world.clock.now()
    })
    expect(world.store.nodes.peers()).toMatchObject([{ sinceMs: world.clock.now() }])
    world.liveness.forget(ann)
    await world.service.save()
    expect([world.store.nodes.all(), world.store.nodes.peers()]).toEqual([[], []])
    expect(world.liveness.view(ann).reason).toBe('never heard')
    lease.lost()
    expect(lease.beat()).toMatchObject({ leaseMs: 90_000 })
    expect(world.liveness.views()).toHaveLength(1)
  })

  it('is what its record says when it left', () => {
    world.liveness.saidLeft({ publicKey: ann, seq: 2 }, 'for good', 60_000)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'left', reason: 'left: for good', sinceAgeMs: 60_000 })
    world.open(bob)
    world.liveness.saidLeft({ publicKey: bob, seq: 2 }, 'for good')
    expect(world.stateOf(bob)).toBe('left')
  })
})
