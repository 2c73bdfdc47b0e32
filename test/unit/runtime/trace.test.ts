import { expect, test } from 'vitest'
import {
  beginStep,
  carriedTrace,
  currentTrace,
  type FinishedStep,
  measured,
  onStep,
  outsideTraces,
  startTrace,
  underTrace
} from '../../../src/runtime/trace.ts'

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')

async function stepsOf(work: () => Promise<unknown>): Promise<FinishedStep[]> {
  const steps: FinishedStep[] = []
  const stop = onStep((step) => steps.push(step))
  await work().catch(() => {})
  stop()
  return steps
}

test('a step inside of another one is its child, in one trace', async () => {
  const [inner, outer] = await stepsOf(() => startTrace('join', {}, () => startTrace('register', {}, async () => 1)))
  expect([inner?.name, outer?.name]).toEqual(['register', 'join'])
  expect(hex(inner?.place?.trace)).toBe(hex(outer?.place?.trace))
  expect(hex(inner?.place?.parent)).toBe(hex(outer?.place?.span))
  expect(outer?.place?.parent).toBeUndefined()
})

test('what another machine does for a request is a child of the first step, though the request carries the trace alone', async () => {
  let carried: Uint8Array | undefined
  const [asked] = await stepsOf(() =>
    startTrace('lookup', {}, async () => {
      carried = carriedTrace().trace
    })
  )
  const [served] = await stepsOf(async () => underTrace(carried, () => beginStep('serve', { request: 'lookup' }).end()))
  expect(hex(served?.place?.trace)).toBe(hex(asked?.place?.trace))
  expect(hex(served?.place?.parent)).toBe(hex(asked?.place?.span))
  expect(hex(served?.place?.span)).not.toBe(hex(asked?.place?.span))
})

test('a step that fails says why, and ends once', async () => {
  const [step, ...more] = await stepsOf(() =>
    startTrace('delta', { peer: 'x' }, async () => {
      throw new Error('no answer')
    })
  )
  expect(step).toMatchObject({ name: 'delta', fields: { peer: 'x' }, error: { message: 'no answer' } })
  expect(more).toEqual([])
  const twice = await stepsOf(async () => {
    const begun = beginStep('first_sync')
    begun.end()
    begun.end(new Error('later'))
  })
  expect(twice.map(({ error }) => error)).toEqual([undefined])
})

test('what goes on for longer is no part of the trace that began it', async () => {
  await startTrace('join', {}, async () => {
    expect(currentTrace()).toBeDefined()
    expect(outsideTraces(() => currentTrace())).toBeUndefined()
  })
})

test('a measured step is in no trace, and nothing is told while nobody listens', async () => {
  const [step] = await stepsOf(async () => measured('commit', performance.now() - 5, { writes: 2 }))
  expect(step?.place).toBeUndefined()
  expect(step?.durationMs).toBeGreaterThanOrEqual(5)
  measured('commit', performance.now())
  expect(await stepsOf(async () => {})).toEqual([])
})

test('what goes on behind the end of its step is part of no trace', async () => {
  const delta = beginStep('delta')
  const ended = Promise.withResolvers<void>()
  const [, later] = await stepsOf(async () => {
    const subscription = delta.run(async () => {
      const before = currentTrace()
      await ended.promise
      expect([before?.length, currentTrace(), carriedTrace()]).toEqual([16, undefined, {}])
      beginStep('lookup').end()
    })
    delta.end()
    ended.resolve()
    await subscription
  })
  expect(later).toMatchObject({ name: 'lookup', place: { parent: undefined } })
})
