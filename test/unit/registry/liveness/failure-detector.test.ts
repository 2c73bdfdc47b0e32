import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ann, bob, eve, fay, hint, self, World } from '../../../helpers/registry/liveness.ts'

describe('registries that speak for others', () => {
  let world: World

  beforeEach(() => {
    world = new World()
  })
  afterEach(() => world[Symbol.dispose]())

  const pulse = (source: Uint8Array, ageMs = 0) => world.pulse(source, {}, ageMs)
  const says = (source: Uint8Array, publicKey: Uint8Array, state: 'online' | 'suspect' = 'online') =>
    world.liveness.merge(hint({ publicKey, source, state }))

  it('are not kept alive by each other when neither is heard', () => {
    pulse(eve)
    pulse(fay)
    says(eve, fay)
    says(fay, eve)
    says(eve, ann)
    world.pass(3)
    expect(world.stateOf(ann)).toBe('online')
    world.pass(3)
    expect([ann, eve, fay].map((key) => world.stateOf(key))).toEqual(['unknown', 'unknown', 'unknown'])
    expect(world.liveness.view(ann).reason).toMatch(/was not heard for [45] s/)
  })

  it('stay heard while somebody passes their word on', () => {
    says(eve, ann)
    world.pass(30, () => pulse(eve, 900))
    expect(world.stateOf(ann)).toBe('online')
  })

  it('are not heard by words that were repeated from before', () => {
    says(eve, ann)
    world.pass(10, (second) => pulse(eve, second * 1000))
    expect(world.stateOf(ann)).toBe('unknown')
    says(eve, bob)
    expect(world.stateOf(bob)).toBe('unknown')
  })

  it('are not heard by a pulse that comes once more on another way', () => {
    const count = 1_000_000
    says(eve, ann)
    world.pass(10, () => world.pulse(eve, { count }))
    expect(world.stateOf(ann)).toBe('unknown')
    expect(world.pulse(eve, { count: count + 1 })).toBe(true)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('are believed again, with what they said meanwhile, as soon as they are heard', () => {
    pulse(eve)
    says(eve, ann)
    says(eve, bob)
    world.pass(6)
    says(eve, bob, 'suspect')
    expect(world.stateOf(bob)).toBe('unknown')
    pulse(eve)
    expect([world.stateOf(ann), world.stateOf(bob)]).toEqual(['online', 'suspect'])
  })

  it('are not heard by what they had said before their session here ended', () => {
    world.liveness.sourceUp(eve)
    says(eve, ann)
    world.clock.advance(1_000)
    world.liveness.sourceGone(eve, 'the registry said nothing')
    world.clock.advance(100)
    pulse(eve, 200)
    expect(world.stateOf(ann)).toBe('unknown')
    pulse(eve, 50)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('are down when the one that holds their lease says so, though they are still heard', () => {
    world.names(eve, 3, fay)
    pulse(eve)
    world.liveness.merge(hint({ publicKey: eve, source: fay, seq: 3, state: 'suspect', reason: 'stream lost' }))
    world.pass(3, () => [pulse(eve), pulse(fay)])
    expect(world.liveness.view(eve)).toMatchObject({ state: 'suspect', source: fay })
    world.names(eve, 4, bob)
    expect(world.liveness.view(eve)).toMatchObject({ state: 'online', source: eve })
  })

  it('are not blamed for the silence while this process stood still', () => {
    pulse(eve)
    says(eve, ann)
    world.pass(3)
    world.clock.advance(60_000)
    world.liveness.tick()
    expect(world.stateOf(ann)).toBe('online')
    world.pass(10, () => pulse(eve))
    expect(world.stateOf(ann)).toBe('online')
  })

  it('leave what has ended as it was', () => {
    pulse(eve)
    world.liveness.merge(hint({ publicKey: ann, source: eve, state: 'offline' }))
    world.liveness.merge(hint({ publicKey: bob, source: eve, state: 'left' }))
    world.pass(10)
    expect(world.stateOf(ann)).toBe('offline')
    expect(world.stateOf(bob)).toBe('left')
  })

  it('are believed again after a cut so long that they were called offline, but not after a new start', () => {
    pulse(eve)
    says(eve, ann)
    world.pass(95)
    world.liveness.merge(hint({ publicKey: eve, source: fay, state: 'offline' }))
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['offline', 'unknown'])
    world.pass(6)
    pulse(eve)
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['online', 'online'])
    world.pulse(eve, { start: 2, sinceMs: 1_000 })
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['online', 'unknown'])
    expect(world.liveness.view(ann).reason).toBe('the registry that spoke for it has started anew')
    world.liveness.merge(hint({ publicKey: ann, source: eve, start: 2 }))
    expect(world.stateOf(ann)).toBe('online')
  })

  it('have left when they say so, until they start again', () => {
    pulse(eve)
    world.pulse(eve, { state: 'left', sinceMs: 0, reason: 'left: update' })
    expect(world.liveness.view(eve)).toMatchObject({ state: 'left', reason: 'left: update' })
    world.pass(10)
    expect(world.stateOf(eve)).toBe('left')
    world.clock.advance(10)
    world.pulse(eve, { start: 2, sinceMs: 0 })
    expect(world.stateOf(eve)).toBe('online')
  })

  it('that left are back when whoever holds their lease has heard them since', () => {
    world.pulse(eve, { state: 'left', sinceMs: 0 })
    world.clock.advance(10)
    world.liveness.merge(hint({ publicKey: eve, source: fay, sinceMs: 60_000 }))
    expect(world.stateOf(eve)).toBe('left')
    world.liveness.merge(hint({ publicKey: eve, source: fay, sinceMs: 0 }))
    expect(world.liveness.view(eve)).toMatchObject({ state: 'online', source: fay })
    world.liveness.merge(hint({ publicKey: eve, source: fay, sinceMs: 0, state: 'suspect' }))
    expect(world.liveness.view(eve)).toMatchObject({ state: 'suspect', source: fay })
  })

  it('are not heard for ever because they held the lease of this one for a moment', () => {
    pulse(eve)
    says(eve, ann)
    world.pass(6)
    world.liveness.sourceUp(eve)
    expect(world.stateOf(ann)).toBe('online')
    world.liveness.sourceGone(eve, 'the session is lost')
    says(eve, ann)
    expect(world.stateOf(ann)).toBe('unknown')
    world.pass(6)
    world.liveness.sourceUp(fay)
    expect(world.stateOf(ann)).toBe('unknown')
  })

  it('are taken at the word of the one that holds their lease, though they have spoken for themselves since', () => {
    const online = hint({ publicKey: ann, source: eve, heardMs: 10_000, sinceMs: 60_000 })
    pulse(ann)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: ann })
    expect(world.liveness.merge(online)).toBe(true)
    world.pass(6, () => pulse(eve))
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('are taken at that word again when the one that holds their lease is heard again', () => {
    pulse(eve)
    says(eve, ann)
    world.pass(6)
    pulse(ann)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: ann })
    pulse(eve)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
  })

  it('are online by their own word when the one that holds their lease is not heard, whoever passes on what that one said', () => {
    pulse(eve)
    world.pass(6, () => pulse(ann))
    world.liveness.merge(hint({ publicKey: ann, source: eve, heardMs: 10_000, sinceMs: 60_000 }))
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: ann })
  })

  it('that were removed and come back are not held to what they said before', () => {
    pulse(eve)
    says(eve, ann)
    world.liveness.forget(eve)
    pulse(eve)
    says(eve, bob)
    expect(world.stateOf(bob)).toBe('online')
    expect(world.liveness.hintsAfter(0, 100).hints.filter(({ publicKey }) => publicKey === ann)).toEqual([])
  })

  it('say nothing of themselves that makes no sense', () => {
    for (const change of [{ heardMs: undefined }, { heardMs: -1 }, { heardMs: Number.NaN }, { sinceMs: Number.NaN }]) {
      expect(world.pulse(eve, change)).toBe(false)
    }
    for (const change of [{ state: 'unknown' as const }, { count: 0 }]) expect(world.pulse(eve, change)).toBe(false)
    expect(world.liveness.view(eve).reason).toBe('never heard')
  })

  it('are passed on with their age, and so is the own word', () => {
    pulse(eve, 500)
    const { change } = world.liveness.hintsAfter(0, 100)
    world.clock.advance(1000)
    expect(world.liveness.hintsAfter(change, 100).hints).toEqual([])
    pulse(eve, 200)
    world.clock.advance(300)
    world.liveness.tick()
    const { hints } = world.liveness.hintsAfter(change, 100)
    expect(hints.map(({ source, heardMs }) => [source, heardMs])).toEqual([
      [eve, 500],
      [self, 0]
    ])
  })
})
