import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HandshakeTurns } from '../../../../src/node/host/handshake-turns.ts'
import { Culprits } from '../../../../src/protocols/engine/culprits.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

const rate = { count: 10, perMs: 1_000 }
/** Prefixes of a /32: its number, a /48 and a /64. */
const prefixOf = (net: string, site: number, subnet = 0): string =>
  `${net}${site.toString(16).padStart(4, '0')}${subnet.toString(16).padStart(4, '0')}`

/** Always the same lots. */
const lots = (seed: number) => (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}

test('a /32 with thousands of /64s waits for itself, and is named', async () => {
  const culprits = new Culprits()
  const turns = new HandshakeTurns(culprits, rate, lots(1))
  const done: string[] = []
  const begin = (prefix: string, name: string): void => turns.wait(prefix, new EventTarget(), () => done.push(name))
  for (let index = 0; index < 2_000; index++) begin(prefixOf('2a010001', index), 'flood')
  expect(done).toHaveLength(rate.count)
  begin(prefixOf('2a020002', 1), 'honest')
  begin(prefixOf('2a030003', 1), 'honest')
  await vi.advanceTimersByTimeAsync(1_500)
  expect(done.filter((name) => name === 'honest')).toHaveLength(2)
  expect(culprits.counts.flatMap(({ limit, culprits: of }) => of.map(({ who }) => `${limit} ${who}`))).toEqual([
    'limits.handshakes /ip6/2a01:0001::/ipcidr/32'
  ])
})

test('in a /32 a /48 that floods waits behind the others, and is named alone', async () => {
  const culprits = new Culprits()
  const turns = new HandshakeTurns(culprits, rate, lots(1))
  const done: string[] = []
  const begin = (prefix: string, name: string): void => turns.wait(prefix, new EventTarget(), () => done.push(name))
  for (let index = 0; index < 500; index++) begin(prefixOf('2a010001', 7, index), 'flood')
  begin(prefixOf('2a010001', 8), 'honest')
  await vi.advanceTimersByTimeAsync(1_500)
  expect(done).toContain('honest')
  expect(culprits.counts[0]?.culprits.map(({ who }) => who)).toEqual(['/ip6/2a01:0001:0007::/ipcidr/48'])
})

test('who comes late has a turn in time beside a flood from thousands of /32s, and not when its own time is over', async () => {
  const turns = new HandshakeTurns(undefined, rate, lots(1))
  const flooders = { perMs: 80, cutMs: 3_000 }
  const begin = (prefix: string, go: () => void): void => {
    const connection = new EventTarget()
    turns.wait(prefix, connection, go)
    setTimeout(() => connection.dispatchEvent(new Event('close')), flooders.cutMs)
  }
  const waited: number[] = []
  const tries = 20
  for (let number = 0; number < tries * 50; number++) {
    begin(prefixOf(`2b${number.toString(16).padStart(6, '0')}`, 1), () => {})
    if (number % 50 === 0 && number > 0) {
      const from = performance.now()
      begin(prefixOf('2a020002', 1), () => waited.push(performance.now() - from))
    }
    await vi.advanceTimersByTimeAsync(flooders.perMs)
  }
  // It leaves time for what is still to be said.
  expect(waited.filter((ms) => ms < flooders.cutMs / 2).length).toBeGreaterThan(tries / 5)
})

test('who is gone takes nobody a turn', async () => {
  const turns = new HandshakeTurns(undefined, { count: 1, perMs: 100 })
  const done: string[] = []
  const gone = new EventTarget()
  for (const name of ['a', 'b', 'c']) {
    turns.wait(prefixOf('2a010001', 1), name === 'b' ? gone : new EventTarget(), () => done.push(name))
  }
  gone.dispatchEvent(new Event('close'))
  await vi.advanceTimersByTimeAsync(150)
  expect(done).toEqual(['a', 'c'])
})
