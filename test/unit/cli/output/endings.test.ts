import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Interrupted } from '../../../../src/cli/output/interrupt.ts'
import { runCli } from '../../../helpers/control-process.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const signal = AbortSignal.abort(new Interrupted('SIGTERM'))

describe('a command that fails by itself after a signal', () => {
  test('that changes something says both, and ends as one that the signal ended', async () => {
    using folder = tempFolder()
    const ended = await runCli(['config', 'migrate', join(folder.path, 'none.yaml')], { home: folder.path, signal })
    expect(ended.code).toBe(143)
    // A slow machine says before that it finishes what must not be left half done.
    expect(ended.err).toMatch(/^error: .*none\.yaml.*not there.*\nInterrupted by SIGTERM: what was begun/m)
  })

  test('that only prints says what failed', async () => {
    using folder = tempFolder()
    const ended = await runCli(['config', 'check', join(folder.path, 'none.yaml')], { home: folder.path, signal })
    expect(ended).toMatchObject({ code: 143, err: expect.stringMatching(/^error: .*none\.yaml.*\n$/) })
  })

  test('that is a daemon does not end as one that was stopped in order', async () => {
    using folder = tempFolder()
    const argv = ['registry', 'start', '--config', join(folder.path, 'none.yaml')]
    const ended = await runCli(argv, { home: folder.path, signal })
    expect(ended).toMatchObject({ code: 2, err: expect.stringMatching(/^error: .*none\.yaml/) })
  })
})
