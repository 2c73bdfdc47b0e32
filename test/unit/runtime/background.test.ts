import { once } from 'node:events'
import { expect, it } from 'vitest'
import { backgroundFailure, inBackground } from '../../../src/runtime/background.ts'

const warned = async (work: Promise<unknown>): Promise<Error> => {
  const warning = once(process, 'warning')
  inBackground(work, 'saving liveness')
  const [error] = await warning
  return error
}

it('work in the background that fails is a warning of the process, and no unhandled rejection', async () => {
  const warning = await warned(Promise.reject(new Error('the disk is full')))
  expect(warning.name).toBe(backgroundFailure)
  expect(warning.message).toBe('saving liveness failed: the disk is full; this process goes on without it')
})

it('also when what it rejects with is no error', async () => {
  const work = Promise.resolve().then(() => {
    // oxlint-disable-next-line typescript/only-throw-error -- libraries do
    throw 'a text'
  })
  expect((await warned(work)).message).toContain('a text')
})

it('nothing to do is nothing to say', () => {
  inBackground(undefined, 'pinging')
})
