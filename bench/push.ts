import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Benchmark, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { quantile } from './harness/spread.ts'
import type { MembersMethods } from './processes/members.ts'
import type { RootMethods } from './processes/root.ts'
import type { SocketsMethods } from './processes/sockets.ts'
import type { SubscribersMethods } from './processes/subscribers.ts'

/** Between one change and the next. */
const pauseMs = 200
const arrivalMs = 10_000
const frameBytes = 320

interface Listener {
  call(name: 'arrivals'): Promise<number[]>
}

/** Sends changes one after the other; gives for each arrival how long after the sending it was. */
async function delays(
  changes: number,
  listeners: readonly Listener[],
  expected: number,
  send: () => Promise<number>
): Promise<{ p50: number; p99: number; max: number }> {
  const all: number[] = []
  const heard = async (): Promise<number[]> =>
    (await Promise.all(listeners.map((each) => each.call('arrivals')))).flat()
  for (let change = 0; change < changes; change++) {
    await heard()
    const sentAt = await send()
    const came: number[] = []
    for (const deadline = performance.now() + arrivalMs; came.length < expected && performance.now() < deadline; ) {
      await pause(pauseMs)
      came.push(...(await heard()))
    }
    if (came.length < expected) throw new Error(`a change came to ${came.length} of ${expected} subscribers`)
    all.push(...came.map((at) => at - sentAt))
  }
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), max: Math.max(...all) }
}

export const push: Benchmark = {
  name: 'push',
  title: 'Push of one change to all subscribers',
  how: `A member changes its record (a new service) over its session; the time runs from before it is sent until a subscriber has decoded it,
so it includes the verification and the commit at the registry. The subscribers are connections of their own in two processes, each with the
sync client of the product. Floor: as many bytes written to as many plain TCP sockets of another process.`,
  parameters: { subscribers: 100, changes: 20 },
  quick: { subscribers: 4, changes: 2 },

  async prepare(bench: Bench): Promise<Plan> {
    const { subscribers = 0, changes = 0 } = bench.parameters
    const folder = await networkFolder(bench, { members: subscribers + 2, records: true })
    const root = new Child<RootMethods>('root')
    const publisher = new Child<MembersMethods>('members')
    const halves = [new Child<SubscribersMethods>('subscribers'), new Child<SubscribersMethods>('subscribers')]
    const writer = new Child<SocketsMethods>('sockets')
    const reader = new Child<SocketsMethods>('sockets')
    const address = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
    await publisher.call('register', address, 1, 2)
    const middle = 2 + Math.floor(subscribers / 2)
    bench.progress('subscribing')
    await Promise.all([
      halves[0]?.call('subscribe', address, 2, middle),
      halves[1]?.call('subscribe', address, middle, 2 + subscribers)
    ])
    await reader.call('connect', await writer.call('listen'), subscribers)
    return {
      measures: [
        { name: 'push', run: () => delays(changes, halves, subscribers, () => publisher.call('change', 1)) },
        { name: 'sockets', run: () => delays(changes, [reader], subscribers, () => writer.call('write', frameBytes)) }
      ],
      rows: [
        {
          what: `${subscribers} subscribers`,
          unit: 'ms p99',
          of: measured('push.p99').of,
          floor: measured('sockets.p99', 'ms p99 of raw writes'),
          beside: [measured('push.p50', 'p50 ms'), measured('push.max', 'the last one ms')],
          aim: { text: '< 200 ms', met: (figure) => figure < 200 }
        }
      ],
      [Symbol.asyncDispose]: () => endAll([root, publisher, ...halves, writer, reader])
    }
  }
}
