import { expect, it } from 'vitest'
import { aborted, abortReason, onAbort, orAborted } from '../../../src/runtime/abort.ts'

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
