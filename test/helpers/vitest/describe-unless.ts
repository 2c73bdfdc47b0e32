import { describe, expect } from 'vitest'

/** `describe` for what only some machines can run: in CI the reason why this one cannot is a failure, elsewhere it is said and skipped. */
export function describeUnless(reason: string | undefined): typeof describe | typeof describe.skip {
  if (reason === undefined) return describe
  if (process.env['CI'] === 'true') throw new Error(`CI must be able to run this: ${reason}`)
  process.stderr.write(`${expect.getState().testPath ?? ''} is skipped: ${reason}\n`)
  return describe.skip
}

export const whyNotRoot = (): string | undefined => (process.getuid?.() === 0 ? undefined : 'needs root')
