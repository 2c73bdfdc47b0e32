import { execFileSync } from 'node:child_process'
import { test } from 'vitest'

/** False where the program is not installed. */
const isInstalled = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A test with a real program. `.ci/run` installs them all, so in CI none may be missing. */
export const testWith = (program: string): typeof test | typeof test.skip =>
  process.env['CI'] === 'true' || isInstalled(program) ? test : test.skip
