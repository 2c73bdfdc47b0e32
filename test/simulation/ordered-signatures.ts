import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Signatures are checked on this thread, in the order in which they were handed over: threads finish in any order, and a schedule must
 * come out the same each time.
 */
export const checkSignaturesInOrder = (): void => {
  const { verify } = crypto
  const inOrder = (...given: unknown[]): unknown => {
    const done = given.at(-1)
    if (typeof done !== 'function') return Reflect.apply(verify, crypto, given)
    const isValid: unknown = Reflect.apply(verify, crypto, given.slice(0, -1))
    queueMicrotask(() => void done(null, isValid))
    return undefined
  }
  Object.assign(crypto, { verify: inOrder })
  syncBuiltinESMExports()
}
