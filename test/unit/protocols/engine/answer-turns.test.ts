import { expect, test } from 'vitest'
import { AnswerTurns } from '../../../../src/protocols/engine/answer-turns.ts'
import { currentTrace, startTrace } from '../../../../src/runtime/trace.ts'

/** Holds the event loop for longer than the answers of one turn may. */
const work = (): void => {
  for (const until = performance.now() + 10; performance.now() < until; );
}
const nextTurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

test('who does not take its answers gets no others, and holds up nobody', async () => {
  const turns = new AnswerTurns(2)
  const made: string[] = []
  const taken: (() => void)[] = []
  const make = async (name: string): Promise<void> => {
    made.push(name)
    await new Promise<void>((resolve) => taken.push(resolve))
  }
  const deaf = ['a', 'b', 'c', 'd'].map((name) => turns.run('deaf', () => make(name)))
  const other = turns.run('other', () => make('e'))
  await nextTurn()
  expect(made).toEqual(['a', 'b', 'e'])
  taken.shift()?.()
  await deaf[0]
  await nextTurn()
  expect(made).toEqual(['a', 'b', 'e', 'c'])
  while (taken.length > 0) {
    taken.shift()?.()
    await nextTurn()
  }
  await Promise.all([...deaf, other])
  expect(made).toHaveLength(5)
})

test('one of each is made before a second of anybody, in a turn of its own where each takes long', async () => {
  const turns = new AnswerTurns()
  const made: string[] = []
  let inTurn = 0
  let most = 0
  const make = async (name: string): Promise<void> => {
    made.push(name)
    if (inTurn++ === 0) setImmediate(() => (inTurn = 0))
    most = Math.max(most, inTurn)
    work()
  }
  const asked = ['busy', 'busy', 'busy', 'quiet'].map((name) => turns.run(name, () => make(name)))
  await Promise.all(asked)
  expect(made).toEqual(['busy', 'busy', 'quiet', 'busy'])
  expect(most).toBe(1)
})

test('an answer that fails is told to whoever asked, and the next is made', async () => {
  const turns = new AnswerTurns(1)
  const failing = turns.run('one', async () => {
    throw new Error('no store')
  })
  const next = turns.run('one', async () => 'made')
  await expect(failing).rejects.toThrow('no store')
  expect(await next).toBe('made')
})

test('an answer that waited is made under the trace of its own question', async () => {
  const turns = new AnswerTurns(1)
  const traced = startTrace('lookup', {}, async () => {
    const own = currentTrace()
    const first = turns.run('traced', async () => await nextTurn())
    const second = turns.run('traced', async () => currentTrace())
    await first
    return [own, await second]
  })
  const taken = Promise.withResolvers<void>()
  const first = turns.run('other', async () => await taken.promise)
  const second = turns.run('other', async () => currentTrace())
  taken.resolve()
  await first
  expect(await second).toBeUndefined()
  const [own, found] = await traced
  expect(own).toBeDefined()
  expect(found).toBe(own)
})
