import { expect, it } from 'vitest'
import { requireShown } from '../../../../src/node/offline/gather-logs.ts'
import { NotFoundError } from '../../../../src/runtime/errors.ts'

const late = { address: '/ip6/2001:db8::1/tcp/8000', error: 'it did not answer in time' }

it('nothing begins before the first entry because nobody answered in time, and the reason is said for each', () => {
  expect(() => requireShown(0, [late, late])).toThrow(NotFoundError)
  expect(() => requireShown(0, [late])).toThrow(`${late.address}: ${late.error}`)
})

it('one that showed the log, a history that is here, and nobody who could be asked are enough', () => {
  requireShown(0, [late, { ...late, error: null }])
  requireShown(7, [late])
  requireShown(0, [])
})
