import { describe, expect, it } from 'vitest'
import { Supervisor } from '../../../src/runtime/supervisor.ts'

/** Time in which a service would have had three rounds more. */
const threeRounds = async (services: Supervisor): Promise<void> => {
  const third = Promise.withResolvers<void>()
  let rounds = 0
  const running = services.run('pace', {
    everyMs: 1,
    round: () => {
      if (++rounds === 3) third.resolve()
    }
  })
  await third.promise
  await running.stop()
}

describe('the supervisor', () => {
  it('runs rounds one after the other until it is stopped, and ends with the one under way', async () => {
    const services = new Supervisor()
    const third = Promise.withResolvers<void>()
    let rounds = 0
    let open = 0
    const running = services.run('look', {
      everyMs: 1,
      round: async () => {
        expect(++open).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        open--
        if (++rounds === 3) third.resolve()
      }
    })
    await third.promise
    await running.stop()
    expect(open).toBe(0)
    const ended = rounds
    await threeRounds(services)
    expect(rounds).toBe(ended)
    expect(services.parts[0]).toMatchObject({ name: 'look', state: 'ok', errors: 0, lastError: null })
  })

  it('counts failures, says when a part fails and works again, and goes on', async () => {
    const services = new Supervisor()
    const seen: string[] = []
    const done = Promise.withResolvers<void>()
    let rounds = 0
    services.run('store', {
      everyMs: 1,
      round: () => {
        seen.push(services.parts[0]?.state ?? '')
        if (++rounds <= 2) throw new Error(`disk ${rounds}`)
        if (rounds === 4) done.resolve()
      }
    })
    await done.promise
    await services.stop()
    expect(seen.slice(0, 4)).toEqual(['ok', 'failing', 'failing', 'ok'])
    expect(services.parts).toMatchObject([{ name: 'store', state: 'ok', errors: 2, lastError: 'disk 2' }])
  })

  it('takes the pause that a round or a failure gives', async () => {
    const services = new Supervisor()
    const failures: string[] = []
    const third = Promise.withResolvers<void>()
    let rounds = 0
    services.run('lease', {
      everyMs: 3_600_000,
      firstMs: 0,
      round: () => {
        if (++rounds === 1) return 1
        if (rounds === 2) throw new Error('refused')
        third.resolve()
        return undefined
      },
      onFailed: ({ message }) => {
        failures.push(message)
        return 1
      }
    })
    await third.promise
    await services.stop()
    expect(failures).toEqual(['refused'])
  })

  it('leaves the state to a part that tells it itself', async () => {
    let nowMs = 1_000
    const services = new Supervisor({ now: () => nowMs, monotonic: () => nowMs })
    const first = Promise.withResolvers<void>()
    services.run('sync', { everyMs: 1, isToldApart: true, round: () => first.resolve() })
    services.part('sync').report(new Error('nobody answers'))
    await first.promise
    await services.stop()
    expect(services.parts).toMatchObject([{ name: 'sync', state: 'failing', errors: 1, lastError: 'nobody answers' }])
    nowMs = 5_000
    services.part('sync').report(new Error('nobody answers'))
    expect(services.parts[0]).toMatchObject({ sinceMs: 1_000, errors: 2 })
    services.part('sync').report(undefined)
    expect(services.parts[0]).toMatchObject({ state: 'ok', sinceMs: 5_000, errors: 2 })
  })

  it('stops a round that waits for its signal, and counts no failure for that', async () => {
    const services = new Supervisor()
    const begun = Promise.withResolvers<void>()
    services.run('probe', {
      everyMs: 1,
      round: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')))
          begun.resolve()
        })
    })
    await begun.promise
    await services.stop()
    expect(services.parts).toMatchObject([{ errors: 0 }])
  })
})
