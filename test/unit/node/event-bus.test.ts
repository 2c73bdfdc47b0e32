import { TypedEventEmitter } from 'main-event'
import { describe, expect, it } from 'vitest'
import { EventBus } from '../../../src/node/event-bus.ts'
import type { RegistryEvents } from '../../../src/registry/events.ts'

const publicKey = Uint8Array.of(1)

describe('the event bus of a process', () => {
  it('tells those who listen, until they stop', () => {
    const bus = new EventBus()
    const told: string[] = []
    const stop = bus.listen('changed', () => told.push('a'))
    bus.listen('changed', () => told.push('b'))
    bus.tell('changed')
    stop()
    bus.tell('changed')
    expect(told).toEqual(['a', 'b', 'b'])
  })

  it('passes on what a registry and its connections tell, to those who listened before, too', () => {
    const bus = new EventBus()
    const told: unknown[] = []
    bus.listen('pulse', () => told.push('pulse'))
    bus.listen('ended', (detail) => told.push(detail))
    bus.listen('connection', (detail) => told.push(detail))
    const events = new TypedEventEmitter<RegistryEvents>()
    const gone: ((connection: never, member: never) => void)[] = []
    const onGone = (listener: (typeof gone)[number]): (() => void) => {
      gone.push(listener)
      return () => {}
    }
    const trust = { onMember: () => () => {}, onGone }
    bus.follow({ events }, trust)
    events.safeDispatchEvent('pulse')
    events.safeDispatchEvent('ended', { detail: { publicKey } })
    for (const listener of gone) Reflect.apply(listener, undefined, [undefined, { publicKey }])
    expect(told).toEqual(['pulse', { publicKey }, { publicKey }])
  })

  it('waits for a condition, and gives up with the signal or the condition’s own failure', async () => {
    const bus = new EventBus()
    const { signal } = new AbortController()
    let count = 0
    const waiting = bus.until(() => count > 1, signal)
    for (count = 1; count < 3; count++) bus.tell('changed')
    await waiting
    await expect(bus.until(() => false, AbortSignal.abort(new Error('over')))).rejects.toThrow('over')
    const failing = bus.until(() => {
      if (count === 4) throw new Error('of its own')
      return false
    }, signal)
    count = 4
    bus.tell('changed')
    await expect(failing).rejects.toThrow('of its own')
  })
})
