import { afterEach, beforeEach, expect, test } from 'vitest'
import { answerTraced } from '../../../../src/protocols/engine/protocol.ts'
import { type Logger, silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { currentTrace, type FinishedStep, onStep, traceBytes } from '../../../../src/runtime/trace.ts'

const trace = new Uint8Array(traceBytes).fill(7)
let steps: FinishedStep[]
let said: object[]
let stopHearing: () => void
const logger: Logger = { ...silentLogger, debug: (fields) => said.push(fields) }
const asked = { logger, peer: 'ann', request: 'lookup' }

beforeEach(() => {
  steps = []
  said = []
  stopHearing = onStep((step) => steps.push(step))
})
afterEach(() => stopHearing())

test('an answer is a step of the trace that came with the request, and of no other', () => {
  expect(answerTraced(trace, asked, () => currentTrace())).toEqual(trace)
  expect(currentTrace()).toBeUndefined()
  expect(steps).toMatchObject([{ name: 'serve', place: { trace }, fields: { peer: 'ann', request: 'lookup' } }])
  expect(steps[0]?.error).toBeUndefined()
  expect(said).toEqual([{ peer: 'ann', request: 'lookup', trace: Buffer.from(trace).toString('hex') }])
})

test.each([undefined, new Uint8Array(), new Uint8Array(15), new Uint8Array(17)])(
  'a request that brings no trace, or one of another length, is answered outside of any: %j',
  (given) => {
    expect(answerTraced(given, asked, () => currentTrace())).toBeUndefined()
    expect([steps, said]).toEqual([[], []])
  }
)

test('the step ends with an answer that takes its time, not before', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const answer = answerTraced(trace, asked, async () => await promise)
  expect(steps).toEqual([])
  resolve('answer')
  expect(await answer).toBe('answer')
  expect(steps).toHaveLength(1)
})

test('the step fails with its answer, at once or later, and whoever asks hears the same error', async () => {
  const failure = new Error('it failed')
  const fails = (): never => {
    throw failure
  }
  expect(() => answerTraced(trace, asked, fails)).toThrow(failure)
  await expect(answerTraced(trace, asked, async () => fails())).rejects.toBe(failure)
  expect(steps.map(({ error }) => error)).toEqual([failure, failure])
})

test('an answer that goes on for long ends its step itself, and only the first end counts', () => {
  answerTraced(trace, asked, (step) => {
    step?.end()
    // What goes on behind it, as a subscription does, is part of no trace.
    expect(currentTrace()).toBeUndefined()
  })
  expect(steps).toHaveLength(1)
})

test('without a logger nothing is said', () => {
  expect(answerTraced(trace, { ...asked, logger: undefined }, () => 1)).toBe(1)
  expect([said.length, steps.length]).toEqual([0, 1])
})
