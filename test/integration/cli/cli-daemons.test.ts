import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { handlesSignals, programPath, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { exampleInvite } from '../../helpers/registry/example-invite.ts'

/** Commands that run until they are stopped, and the name of the process. */
const daemons: readonly (readonly [string, readonly string[]])[] = [
  ['root', ['registry', 'start']],
  ['hal', ['node', 'start', '--name', 'hal', '--domain', 'example.test', '--trust-on-first-use']],
  ['ann', ['join', exampleInvite(), '--name', 'ann']]
]

/** A pipe whose reader is gone before anything is written, as that of `| head -1` is after it. */
const toNobody = 'exec 3> >(exec true); wait $!;'

/** What a shell puts behind the command, which is "$@". */
const outputs: readonly (readonly [string, string])[] = [
  ['its output ends at a pipe whose reader is gone', `${toNobody} exec "$@" >&3 3>&-`],
  ['all it says ends at such a pipe', `${toNobody} exec "$@" >&3 2>&3 3>&-`],
  ['the disk of its log is full', 'exec "$@" >/dev/full'],
  ['its terminal is gone', 'exec "$@" >&- 2>&-']
]

describe.each(daemons)('%s', (name, argv) => {
  test.each(outputs)(
    'goes on when %s, says so where it can, and stops as one that has a reader',
    async (what, script) => {
      using root = await stoppedRoot()
      const child = spawn('bash', ['-c', script, 'bash', process.execPath, programPath, ...argv], {
        stdio: 'ignore',
        env: { PATH: process.env['PATH'], HOME: root.path, ...stoppedEnv(root.path) }
      })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      const client = controlClient({ path: join(root.path, 'run', `${name}.sock`) })
      const pid = await vi.waitFor(
        async () => {
          const { warnings, self } = await client.status()
          if (what !== 'its terminal is gone') expect(warnings.map(({ code }) => code)).toContain('log_lost')
          return self.pid
        },
        { timeout: ceilingMs, interval: 100 }
      )
      process.kill(pid, 'SIGTERM')
      expect(await ended).toBe(0)
    }
  )

  test.each(['SIGINT', 'SIGTERM'] as const)('%s while it starts: it ends, and nothing is wrong', async (signal) => {
    using root = await stoppedRoot()
    const program = startProgram(argv, stoppedEnv(root.path))
    await handlesSignals(program.process.pid)
    program.process.kill(signal)
    const { code, err } = await program.ended
    expect({ code, err }).toMatchObject({
      code: expect.toBeOneOf([0, 128 + constants.signals[signal]]),
      err: expect.not.stringMatching(/error|abort|^ +at /im)
    })
    expect(await runProgram(['registry', 'verify', '--name', 'root'], stoppedEnv(root.path))).toMatchObject({
      code: 0
    })
  })
})
