import { expect, it } from 'vitest'
import { aborted, abortReason, either, onAbort, orAborted, within } from '../../../src/runtime/abort.ts'

const never = new Promise<never>(() => {})

it('waits for what comes first: the promise or the signal', async () => {
  const over = new AbortController()
  await expect(orAborted(Promise.resolve(1), over.signal)).resolves.toBe(1)
  await expect(orAborted(Promise.resolve(1), undefined)).resolves.toBe(1)
  const waiting = orAborted(never, over.signal)
  over.abort(new Error('over'))
  await expect(waiting).rejects.toThrow('over')
  await expect(orAborted(never, over.signal)).rejects.toThrow('over')
  await aborted(over.signal)
})

it('gives the reason as an error, and tells nobody who went away', () => {
  const over = new AbortController()
  const told: string[] = []
  onAbort(over.signal, ({ message }) => told.push(message))
  onAbort(over.signal, ({ message }) => told.push(`${message}, unheard`))?.[Symbol.dispose]()
  over.abort('enough')
  expect(told).toEqual(['enough'])
  expect(abortReason(over.signal)).toBeInstanceOf(Error)
})

it('fires with the first of several signals, with the reason of that one', () => {
  const [one, other] = [new AbortController(), new AbortController()]
  const first = either(one.signal, undefined, other.signal)
  expect(first.aborted).toBe(false)
  other.abort('the other')
  expect([first.aborted, first.reason]).toEqual([true, 'the other'])
  expect(either(undefined).aborted).toBe(false)
})

it('fires when the time is over, and sooner with the signal', async () => {
  await expect(orAborted(never, within(1, undefined))).rejects.toMatchObject({ name: 'TimeoutError' })
  // A third of a time is no whole number of milliseconds.
  await expect(orAborted(never, within(1 / 3, undefined))).rejects.toMatchObject({ name: 'TimeoutError' })
  const over = new AbortController()
  const late = within(60_000, over.signal)
  over.abort(new Error('over'))
  await expect(orAborted(never, late)).rejects.toThrow('over')
})
