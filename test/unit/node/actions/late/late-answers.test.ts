import { beforeEach, expect, test } from 'vitest'
import { LateAnswers, type Place } from '../../../../../src/node/actions/late/late-answers.ts'
import { TestClock } from '../../../../helpers/real-network.ts'

let clock: TestClock
let head: Place
let changedAt: number
let late: LateAnswers
beforeEach(() => {
  clock = new TestClock()
  head = { epoch: 0, n: 5 }
  changedAt = 0
  late = new LateAnswers({ clock, place: () => head, isChanged: ({ n }) => n < changedAt })
})

/** Asks, and goes before the answer comes. */
async function unheard(request: string, answer: Promise<object>): Promise<void> {
  const gone = new AbortController()
  const asked = late.asked(request, gone.signal, () => answer)
  gone.abort()
  await expect(asked).rejects.toThrow('the same command, given again within 10 minutes, says what came of it')
}

const again = (request: string): Promise<object> => late.asked(request, undefined, async () => ({ made: 'anew' }))

test('an answer that nobody has heard is that of the same request, once', async () => {
  await unheard('a', Promise.resolve({ made: 'late' }))
  expect(await again('b')).toEqual({ made: 'anew' })
  expect(await again('a')).toEqual({ made: 'late' })
  expect(await again('a')).toEqual({ made: 'anew' })
})

test('whoever asks again while it goes on waits for the same, and may go, too', async () => {
  const { promise, resolve } = Promise.withResolvers<object>()
  await unheard('a', promise)
  const gone = new AbortController()
  const second = late.asked('a', gone.signal, () => Promise.reject(new Error('carried out twice')))
  gone.abort()
  await expect(second).rejects.toThrow('goes on')
  const third = again('a')
  resolve({ made: 'late' })
  expect(await third).toEqual({ made: 'late' })
})

test('it is carried out anew when somebody has changed something since, after ten minutes, and where it failed', async () => {
  await unheard('a', Promise.resolve({ made: 'late' }))
  changedAt = 6
  expect(await again('a')).toEqual({ made: 'anew' })
  head = { epoch: 0, n: 6 }
  await unheard('a', Promise.resolve({ made: 'late' }))
  clock.advance(600_001)
  expect(await again('a')).toEqual({ made: 'anew' })
  await unheard('a', Promise.reject(new Error('refused')))
  expect(await again('a')).toEqual({ made: 'anew' })
})

test('an answer in time is kept for nobody, and of many unheard ones the oldest goes', async () => {
  expect(await again('a')).toEqual({ made: 'anew' })
  expect(late.take('a')).toBeUndefined()
  for (let each = 0; each < 65; each++) await unheard(`${each}`, Promise.resolve({ each }))
  expect(late.take('0')).toBeUndefined()
  expect(await late.take('1')).toEqual({ each: 1 })
})
