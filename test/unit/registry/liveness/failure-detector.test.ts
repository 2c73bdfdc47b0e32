import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ann, bob, eve, fay, hint, self, World } from '../../../helpers/liveness.ts'

describe('registries that speak for others', () => {
  let world: World

  beforeEach(() => {
    world = new World()
  })
  afterEach(() => world[Symbol.dispose]())

  /** A registry says that it is there; `ageMs`: how long the word was on its way. */
  const pulse = (source: Uint8Array, ageMs = 0) =>
    world.liveness.merge(hint({ publicKey: source, source, heardMs: ageMs, sinceMs: 60_000 + ageMs, connected: [] }))
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

  it('are believed again, with what they said meanwhile, as soon as they are heard', () => {
    pulse(eve)
    says(eve, ann)
    says(eve, bob)
    world.pass(6)
    world.liveness.merge(hint({ publicKey: bob, source: eve, state: 'suspect', reason: 'stream lost' }))
    expect(world.stateOf(bob)).toBe('unknown')
    pulse(eve)
    expect(world.stateOf(ann)).toBe('online')
    expect(world.stateOf(bob)).toBe('suspect')
  })

  it('are believed again after their session here was lost, though others pass on less than was known', () => {
    world.liveness.sourceUp(eve)
    world.liveness.merge(hint({ publicKey: ann, source: eve, heardMs: 0 }))
    world.liveness.sourceGone(eve, 'the registry said nothing')
    world.pass(6)
    world.liveness.merge(hint({ publicKey: ann, source: eve, heardMs: 10_000 }))
    expect(world.stateOf(ann)).toBe('unknown')
    pulse(eve)
    expect(world.stateOf(ann)).toBe('online')
  })

  it('are down when the one that holds their lease says so, though their last word is still passed on', () => {
    pulse(eve)
    world.pass(3, () => pulse(eve))
    world.liveness.sourceGone(eve, 'the session is lost')
    pulse(eve, 20)
    // Its holder has heard it half a second before that word.
    const lost = { publicKey: eve, source: fay, heardMs: 500, sinceMs: 10, reason: 'stream lost' }
    world.liveness.merge(hint({ ...lost, state: 'suspect' }))
    expect(world.stateOf(eve)).toBe('suspect')
    world.clock.advance(300)
    pulse(eve, 320)
    expect(world.stateOf(eve)).toBe('suspect')
    world.pass(3, () => pulse(eve))
    expect(world.stateOf(eve)).toBe('online')
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
    const eveIsOffline = hint({ publicKey: eve, source: fay, state: 'offline', heardMs: 0, sinceMs: 0 })
    pulse(eve)
    says(eve, ann)
    world.pass(95)
    world.liveness.merge(eveIsOffline)
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['offline', 'unknown'])
    world.clock.advance(2_000)
    world.liveness.merge(hint({ publicKey: eve, source: eve, heardMs: 0, sinceMs: 300_000 }))
    expect(world.stateOf(ann)).toBe('online')

    world.pass(95)
    world.liveness.merge(eveIsOffline)
    world.clock.advance(2_000)
    world.liveness.merge(hint({ publicKey: eve, source: eve, heardMs: 0, sinceMs: 1_000 }))
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['online', 'unknown'])
  })

  it('are not online for ever by the word of one that held their lease before', () => {
    pulse(eve)
    world.liveness.merge(hint({ publicKey: eve, source: fay, heardMs: 0, sinceMs: 60_000 }))
    // Its lease is elsewhere by now; whoever lost it a moment earlier said so.
    world.pass(20, () => {
      pulse(eve)
      pulse(fay)
    })
    world.liveness.merge(hint({ publicKey: eve, source: eve, state: 'unknown', heardMs: 0, sinceMs: 0 }))
    expect(world.liveness.view(eve)).toMatchObject({ state: 'online', source: fay })
    world.pass(6, () => pulse(fay))
    expect(world.stateOf(eve)).toBe('unknown')
    pulse(eve)
    expect(world.stateOf(eve)).toBe('online')
  })

  it('are believed with what was heard of them before their own first word', () => {
    pulse(eve)
    world.pass(6)
    // Of a network that was whole again: the members speak sooner than their registry.
    pulse(ann)
    world.liveness.merge(hint({ publicKey: ann, source: eve, heardMs: 10_000, sinceMs: 60_000 }))
    pulse(eve)
    expect(world.liveness.view(ann)).toMatchObject({ state: 'online', source: eve })
    world.pass(6, () => pulse(eve))
    expect(world.stateOf(ann)).toBe('online')
  })

  it('are not heard for ever because somebody who lost them earlier said so', () => {
    pulse(eve)
    says(eve, ann)
    world.liveness.merge(hint({ publicKey: eve, source: eve, state: 'unknown', heardMs: 0, sinceMs: 0 }))
    expect(world.stateOf(eve)).toBe('online')
    world.pass(6)
    expect([world.stateOf(eve), world.stateOf(ann)]).toEqual(['unknown', 'unknown'])
  })

  it('are not heard for ever because they held the lease of this one for a moment', () => {
    pulse(eve)
    says(eve, ann)
    world.pass(6)
    world.liveness.sourceUp(eve)
    expect(world.stateOf(ann)).toBe('online')
    world.liveness.sourceGone(eve, 'the session is lost')
    expect(says(eve, ann)).toBe(true)
    world.pass(6)
    expect(world.stateOf(ann)).toBe('unknown')
    says(eve, ann)
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
    world.pass(6)
    world.liveness.forget(eve)
    expect(says(eve, bob)).toBe(true)
    pulse(eve)
    expect([world.stateOf(ann), world.stateOf(bob)]).toEqual(['unknown', 'online'])
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
