import { expect, test } from 'vitest'
import { freshMs, ProbeWords, probersOfMember } from '../../../../src/node/matrix/probe-words.ts'
import { TestClock } from '../../../helpers/real-network.ts'

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const addr = '/ip6/2001:db8::1/tcp/9000'
const other = '/ip6/2001:db8::2/tcp/9000'
const reached = { failure: undefined, tookMs: 3 }
const refused = { failure: 'refused', tookMs: 1 } as const

test('of each address the newest words are kept, each of another prober', () => {
  const clock = new TestClock()
  const words = new ProbeWords(clock)
  for (let by = 1; by <= probersOfMember + 3; by++) words.put(key(0), addr, key(by), refused)
  words.put(key(0), addr, key(9), reached)
  clock.advance(500)
  const [told] = words.told(key(0))
  const said = told?.addrs[0]?.words ?? []
  expect(said.map(({ prober }) => prober[0])).toEqual([4, 5, 6, 7, 8, 9])
  expect(said.at(-1)).toEqual({ prober: key(9), failure: undefined, tookMs: 3, agoMs: 500 })
})

test('those come first whom most probers failed to reach', () => {
  const words = new ProbeWords(new TestClock())
  words.put(key(1), addr, key(8), reached)
  words.put(key(2), addr, key(8), refused)
  words.put(key(3), addr, key(8), refused)
  words.put(key(3), addr, key(9), refused)
  expect(words.told().map(({ publicKey }) => publicKey[0])).toEqual([3, 2, 1])
  expect(words.told(key(7))).toEqual([])
})

test('an address that nobody reached is dialled more and more rarely, one that somebody reached is not', () => {
  const clock = new TestClock()
  const words = new ProbeWords(clock)
  expect(words.isDue(key(0), addr, key(1))).toBe(true)
  const waits: number[] = []
  for (let time = 0; time < 7; time++) {
    words.put(key(0), addr, key(1), refused)
    let waited = 0
    for (; !words.isDue(key(0), addr, key(1)); waited++) clock.advance(freshMs)
    waits.push(waited)
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 16, 16])
  words.put(key(0), addr, key(2), reached)
  clock.advance(freshMs)
  expect(words.isDue(key(0), addr, key(1))).toBe(true)
})

test('addresses that are none any more are forgotten, and the words of those who are no members', () => {
  const words = new ProbeWords(new TestClock())
  words.put(key(1), addr, key(8), reached)
  words.put(key(1), other, key(8), reached)
  words.put(key(1), addr, key(9), refused)
  words.put(key(2), addr, key(8), reached)
  words.keep(
    () => [addr],
    (publicKey) => publicKey[0] !== 2 && publicKey[0] !== 9
  )
  expect(
    words.told().map(({ publicKey, addrs }) => [publicKey[0], addrs.map((each) => [each.addr, each.words.length])])
  ).toEqual([[1, [[addr, 1]]]])
})
