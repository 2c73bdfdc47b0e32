import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { tempFolder } from '../../helpers/temp.ts'

test('an invite on the command line is gone from what ps shows to everybody', async () => {
  using folder = tempFolder()
  // A command that waits, so that there is time to look.
  const program = startProgram(['wait', '--timeout', '1m', '--node', 'tnet1secret'], { TRUSTNET_HOME: folder.path })
  const shown = (): string => readFileSync(`/proc/${program.process.pid}/cmdline`, 'utf8')
  await vi.waitFor(() => expect(shown()).toContain('trustnet wait --timeout 1m --node INVITE'), { timeout: ceilingMs })
  expect(shown()).not.toContain('secret')
  program.process.kill('SIGTERM')
  await program.ended
})
