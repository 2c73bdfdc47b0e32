import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { conductOf } from '../../../src/cli/output/conduct.ts'
import { handlesSignals, programPath, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { commandCalls } from '../../helpers/commands/command-calls.ts'
import { ControlHome, ScriptedApi } from '../../helpers/control-process.ts'
import { tempFolder } from '../../helpers/temp.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

let home: ControlHome
beforeEach(async () => {
  home = await ControlHome.create()
})
afterEach(() => home[Symbol.asyncDispose]())

/** An api whose answers never come, and how often it was asked. */
const silentApi = (): { api: ScriptedApi; asked: () => number } => {
  let count = 0
  const api = new Proxy(new ScriptedApi(), {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target)
      if (typeof found !== 'function' || name === 'events') return found
      return () => {
        count++
        return new Promise(() => undefined)
      }
    }
  })
  return { api, asked: () => count }
}

const asking = [...commandCalls].filter(([command]) => !/^(config|version|comple|man$|dns)/.test(command))

describe.each(signals)('%s', (signal) => {
  const expected = 128 + constants.signals[signal]

  test('ends every command that waits for an answer, with the code of a shell', async () => {
    for (const [command, args] of asking) {
      await using own = await ControlHome.create()
      const { api, asked } = silentApi()
      await own.serve('hal', api)
      const program = startProgram([...command.split(' '), ...args], { TRUSTNET_HOME: own.folder })
      await vi.waitFor(() => expect(asked(), command).toBeGreaterThan(0), { timeout: ceilingMs, interval: 20 })
      program.process.kill(signal)
      const { code, err } = await program.ended
      expect({ command, code }).toEqual({ command, code: expected })
      expect(err).not.toMatch(/abort|^ +at /im)
      if (conductOf(command) === 'changes') expect(err).toContain(`Interrupted by ${signal}: what was begun`)
    }
  })

  test('ends what waits for a process, for changes, and for stdin', async () => {
    await home.serve('hal', new ScriptedApi())
    const { folder } = home
    const watching = startProgram(['peers', '--watch'], { TRUSTNET_HOME: folder })
    await vi.waitFor(() => expect(watching.soFar()).toContain('"hal"'), { timeout: ceilingMs, interval: 20 })
    const waiting = startProgram(['wait', '--node', 'none'], { TRUSTNET_HOME: folder })
    const reading = [
      ['join', '-'],
      ['document', 'publish', '-', '--id', 'plan']
    ].map((argv) => startProgram(argv, { TRUSTNET_HOME: folder }, { stdin: 'pipe' }))
    // Past its start, in which the system itself ends it.
    for (const { process } of [waiting, ...reading]) await handlesSignals(process.pid)
    for (const { process } of [watching, waiting, ...reading]) process.kill(signal)
    expect(await watching.ended).toMatchObject({ code: expected })
    expect(await waiting.ended).toMatchObject({ code: expected, err: '' })
    const err = `Interrupted by ${signal}: nothing was changed.\n`
    for (const { ended } of reading) expect(await ended).toMatchObject({ code: expected, err })
  })
})

/** An editor that saves a line, says so, and stays open. */
const editorIn = (folder: string): string => {
  const path = join(folder, 'editor')
  const lines = [
    '#!/bin/sh',
    'echo "invite-uses: 9" >> "$1"',
    `touch ${join(folder, 'open')}`,
    // Until it is ended, or the shell that has started it.
    'while kill -0 "$PPID" 2>/dev/null; do sleep 0.1; done'
  ]
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o700 })
  return path
}

test.each(signals)('%s while the policy is edited: nothing is changed, and what was saved is kept', async (signal) => {
  await home.serve('hal', new ScriptedApi())
  using folder = tempFolder()
  const env = { TRUSTNET_HOME: home.folder, EDITOR: editorIn(home.folder), TMPDIR: folder.path }
  const program = startProgram(['policy', 'edit', '--yes'], env)
  await vi.waitFor(() => expect(existsSync(join(home.folder, 'open'))).toBe(true), { timeout: ceilingMs, interval: 20 })
  program.process.kill(signal)
  const { code, out, err } = await program.ended
  expect({ code, out }).toEqual({ code: 128 + constants.signals[signal], out: '' })
  const kept = readdirSync(folder.path)
  expect(kept).toEqual([expect.stringMatching(/^trustnet-policy-.*\.yaml$/)])
  const path = join(folder.path, kept[0] ?? '')
  expect(err).toContain(`Interrupted by ${signal}: nothing was changed; your text is kept in ${path}.`)
  expect(readFileSync(path, 'utf8')).toMatch(/invite-uses: 9\n$/)
})

const driver = fileURLToPath(new URL('../../helpers/commands/terminal.py', import.meta.url))

interface OnTerminal {
  code: number
  out: string
  restored: boolean
  seen: boolean
}

/** Runs a command on a real terminal; when the text is there, the keys are typed or the signal is sent. */
const onTerminal = async (
  argv: readonly string[],
  text: string,
  action: string,
  folder: string,
  more: Record<string, string> = {}
): Promise<OnTerminal> => {
  const { stdout } = await promisify(execFile)(
    'python3',
    [driver, text, action, process.execPath, programPath, ...argv],
    { env: { PATH: process.env['PATH'], HOME: folder, TRUSTNET_HOME: folder, TERM: 'xterm', ...more } }
  )
  const ended: OnTerminal = JSON.parse(stdout)
  return ended
}

const ctrlC = '\\x03'

describe('on a terminal', () => {
  const kit = async (folder: string): Promise<string> => {
    const argv = ['init', '--domain', 'example.test', '--name', 'root', '--new-network']
    expect((await runProgram(argv, { TRUSTNET_HOME: folder })).code).toBe(0)
    return join(folder, 'data', 'root', 'recovery.kit')
  }

  test.each([
    [ctrlC, 130],
    ['\\x04', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129]
  ])('a passphrase that is asked for: %s ends it, and the terminal is as before', async (action, code) => {
    using folder = tempFolder()
    const argv = ['registry', 'promote', '--kit', await kit(folder.path)]
    const ended = await onTerminal(argv, 'it is not shown', action, folder.path)
    expect(ended).toMatchObject({ code, restored: true, seen: true })
    expect(ended.out).toContain('nothing was changed')
  })

  test.each([
    [ctrlC, 130],
    ['SIGTERM', 143]
  ])('an invite that is waited for: %s', async (action, code) => {
    using folder = tempFolder()
    const ended = await onTerminal(['join', '-'], 'press Ctrl-D', action, folder.path)
    expect(ended).toMatchObject({ code, restored: true, seen: true })
    expect(ended.out).toContain('nothing was changed')
  })

  test.each([
    [ctrlC, 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129]
  ])('a question of the installer: %s ends it without the words of a library', async (action, code) => {
    using folder = tempFolder()
    const ended = await onTerminal(['install'], '?', action, folder.path)
    expect(ended).toMatchObject({ code, restored: true, seen: true })
    expect(ended.out).toContain('nothing was changed')
    expect(ended.out).not.toMatch(/force closed|abort/i)
  })

  test.each([
    [ctrlC, 130],
    ['SIGTERM', 143]
  ])('a policy that was edited, asked about: %s ends it, and says where the text is kept', async (action, code) => {
    await home.serve('hal', new ScriptedApi())
    using folder = tempFolder()
    const more = { EDITOR: "sed -i 's/^invite-uses: .*/invite-uses: 7/'", TMPDIR: folder.path }
    const ended = await onTerminal(['policy', 'edit'], 'into the log?', action, home.folder, more)
    expect(ended).toMatchObject({ code, restored: true, seen: true })
    const kept = readdirSync(folder.path)
    expect(kept).toEqual([expect.stringMatching(/^trustnet-policy-.*\.yaml$/)])
    expect(ended.out).toContain(`nothing was changed; your text is kept in ${join(folder.path, kept[0] ?? '')}`)
    expect(readFileSync(join(folder.path, kept[0] ?? ''), 'utf8')).toMatch(/^invite-uses: 7/m)
  })

  test.each(['120', '0'])('a live table, %s columns wide: Ctrl-C ends it with 130', async (width) => {
    await home.serve('hal', new ScriptedApi())
    const ended = await onTerminal(['peers', '--watch'], 'hal', ctrlC, home.folder, { WIDTH: width })
    expect(ended).toMatchObject({ code: 130, restored: true, seen: true })
  })
})
