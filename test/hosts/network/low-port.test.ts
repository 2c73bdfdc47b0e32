import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { hungMs } from '../../helpers/ceiling.ts'
import { stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { describeUnless, whyNotRoot } from '../../helpers/vitest/describe-unless.ts'

const program = resolve('dist/bin/trustnet.js')

describeUnless(whyNotRoot())('a process that may not take a port below 1024', () => {
  it('says so and what to do, without the advice of a library', async () => {
    using root = await stoppedRoot()
    const env = { PATH: process.env['PATH'], ...stoppedEnv(root.path), TRUSTNET_LISTEN_PORT: '80' }
    // A network of its own, in which the kernel has its default for what root alone may take.
    const argv = [
      '-n',
      'setpriv',
      '--bounding-set',
      '-net_bind_service',
      process.execPath,
      program,
      'registry',
      'start'
    ]
    const { code, err } = await new Promise<{ code: unknown; err: string }>((done) => {
      execFile('unshare', argv, { env, timeout: hungMs }, (error, _, said) =>
        done({ code: error?.code ?? 0, err: said })
      )
    })
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(
        /^error: \[::\]:80 cannot be listened on: this user may not take a port below 1024; choose/m
      )
    })
    expect(err).not.toMatch(/EACCES|faultTolerance/)
  })
})
