import { beforeEach, expect, test } from 'vitest'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { type Sender, SendTurns } from '../../../../src/protocols/forward/send-turns.ts'
import { FakeClock } from '../../../helpers/observations.ts'

let clock: FakeClock
/** Names of senders, in the order in which they sent. */
let sent: string[]

beforeEach(() => {
  clock = new FakeClock()
  sent = []
})

const turnsWith = (count: number, perMs = 1_000): SendTurns =>
  new SendTurns(limitsWith({ forward: { pieces: { count, perMs } } }).forward, clock)

const sender = (peer: string, name = peer): Sender & { isBlocked: boolean } => ({
  peer,
  isBlocked: false,
  sendPiece: () => sent.push(name)
})

/** All that was queued in this turn of the event loop has run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a piece leaves at once while nobody waits and the peer has pieces left', () => {
  const turns = turnsWith(2)
  expect([1, 2, 3].map(() => turns.take(sender('ann')))).toEqual([true, true, false])
  expect(turns.take(sender('bob'))).toBe(true)
})

test('a sender that is blocked, or comes while another one waits, gets no piece at once', () => {
  const turns = turnsWith(100)
  const blocked = { ...sender('ann'), isBlocked: true }
  expect(turns.take(blocked)).toBe(false)
  turns.wait(blocked)
  expect(turns.take(sender('bob'))).toBe(false)
  turns.leave(blocked)
  expect(turns.take(sender('bob'))).toBe(true)
})

test('those who wait send one piece each, in the order in which they came', async () => {
  const turns = turnsWith(100)
  for (const name of ['first', 'second', 'third']) turns.wait(sender('ann', name))
  expect(sent).toEqual([])
  await turn()
  expect(sent).toEqual(['first', 'second', 'third'])
  turns.wake()
  await turn()
  expect(sent).toHaveLength(3)
})

test('one that is blocked is passed over, keeps its place, and sends when it is woken', async () => {
  const turns = turnsWith(100)
  const blocked = sender('ann', 'blocked')
  blocked.isBlocked = true
  turns.wait(blocked)
  turns.wait(sender('bob'))
  await turn()
  expect(sent).toEqual(['bob'])
  turns.wait(sender('eve'))
  blocked.isBlocked = false
  await turn()
  expect(sent).toEqual(['bob', 'blocked', 'eve'])
})

test('a peer that has sent its pieces waits for its time, and holds up nobody else', async () => {
  const turns = turnsWith(1, 20)
  expect(turns.take(sender('ann'))).toBe(true)
  turns.wait(sender('ann', 'held'))
  turns.wait(sender('bob'))
  await turn()
  expect(sent).toEqual(['bob'])
  clock.advance(20)
  await expect.poll(() => sent).toEqual(['bob', 'held'])
})

test('one that leaves sends nothing, also when its turn was near', async () => {
  const turns = turnsWith(100)
  const [gone, stays] = [sender('ann', 'gone'), sender('ann', 'stays')]
  turns.wait(gone)
  turns.wait(stays)
  turns.leave(gone)
  await turn()
  expect(sent).toEqual(['stays'])
})

test('one that waits again while others send takes its turn in the next turn of the event loop', async () => {
  const turns = turnsWith(100)
  let again = 2
  const one: Sender = {
    peer: 'ann',
    isBlocked: false,
    sendPiece: () => {
      sent.push('again')
      if (again-- > 0) turns.wait(one)
    }
  }
  turns.wait(one)
  turns.wait(sender('bob'))
  await turn()
  expect(sent.slice(0, 2)).toEqual(['again', 'bob'])
  await expect.poll(() => sent).toEqual(['again', 'bob', 'again', 'again'])
})

test('one that always has more sends a piece in a turn of the event loop, and the others theirs before its next one', async () => {
  const turns = turnsWith(1_000)
  for (const name of ['a', 'b', 'c']) {
    const one: Sender = {
      peer: 'ann',
      isBlocked: false,
      sendPiece: () => {
        sent.push(name)
        turns.wait(one)
      }
    }
    if (turns.take(one)) sent.push(name)
    expect(turns.take(one)).toBe(false)
    turns.wait(one)
  }
  while (sent.length < 9) await turn()
  for (let at = 0; at < 9; at += 3) expect(sent.slice(at, at + 3).toSorted()).toEqual(['a', 'b', 'c'])
})
