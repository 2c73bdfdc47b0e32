import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { doable } from '../../../../src/install/apply/actions/index.ts'
import { executeAction } from '../../../../src/install/apply/execute.ts'
import { Journal } from '../../../../src/install/apply/journal.ts'
import { revertAll } from '../../../../src/install/apply/revert.ts'
import { toolsFor } from '../../../../src/install/apply/session.ts'
import { runningProgram } from '../../../../src/install/machine/running-program.ts'
import type { Action } from '../../../../src/install/model/action.ts'
import { httpActions } from '../../../../src/install/model/http.ts'
import { layoutOf } from '../../../../src/install/model/layout.ts'
import { resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { readToken } from '../../../../src/node/http/token.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const tools = toolsFor({
  signal: new AbortController().signal,
  program: runningProgram(),
  say: () => undefined,
  tell: () => undefined,
  env: {}
})

const done = async (action: Action): Promise<() => Promise<void>> => {
  const undo = await doable(action).before(tools)
  await doable(action).apply(tools, undo)
  return async () => await doable(action).revert(undo, tools)
}

const ownership = (path: string): number[] => {
  const { mode, uid, gid } = statSync(path)
  return [mode & 0o7777, uid, gid]
}

/** Ids of `daemon` and `mail`, which every Debian has. */
const [daemon, mail] = [1, 8]

describe.runIf(process.geteuid?.() === 0)('what was there before an install', () => {
  it('gets back mode and owner: a folder, and a file with its content', async () => {
    using folder = tempFolder()
    const [dir, file] = [join(folder.path, 'etc'), join(folder.path, 'etc/hal.yaml')]
    mkdirSync(dir)
    writeFileSync(file, 'before')
    chmodSync(dir, 0o2750)
    chownSync(dir, daemon, mail)
    chmodSync(file, 0o604)
    chownSync(file, daemon, mail)
    const undo = [
      await done({ kind: 'folder', path: dir, mode: 0o755, owner: 'root' }),
      await done({ kind: 'file', path: file, text: 'after', mode: 0o640, owner: 'root' })
    ]
    expect([ownership(dir), ownership(file), readFileSync(file, 'utf8')]).toEqual([
      [0o755, 0, 0],
      [0o640, 0, 0],
      'after'
    ])
    for (const revert of undo.toReversed()) await revert()
    expect([ownership(dir), ownership(file), readFileSync(file, 'utf8')]).toEqual([
      [0o2750, daemon, mail],
      [0o604, daemon, mail],
      'before'
    ])
  })

  it('goes to root where its owner is the service, or nobody', async () => {
    using folder = tempFolder()
    const dir = join(folder.path, 'run')
    for (const [uid, owner] of [
      [daemon, 'daemon'],
      [64_123, 'root']
    ] as const) {
      mkdirSync(dir, { recursive: true })
      chownSync(dir, uid, 0)
      const revert = await done({ kind: 'folder', path: dir, mode: 0o750, owner })
      await revert()
      expect(ownership(dir)[1]).toBe(0)
    }
  })

  it('is not replaced where a link goes, and what an install made is gone', async () => {
    using folder = tempFolder()
    const [path, made] = [join(folder.path, 'trustnet'), join(folder.path, 'a/b')]
    writeFileSync(path, 'a script of somebody')
    await expect(done({ kind: 'link', path, target: '/opt' })).rejects.toThrow(/is there already, and no link/)
    expect(readFileSync(path, 'utf8')).toBe('a script of somebody')
    const revert = await done({ kind: 'folder', path: made, mode: 0o755, owner: 'root' })
    expect(existsSync(made)).toBe(true)
    await revert()
    expect(existsSync(join(folder.path, 'a'))).toBe(false)
  })
})

describe.runIf(process.geteuid?.() === 0)('the token of the HTTP API', () => {
  it('is made once, for the user of the node alone, in no journal, and gone after an uninstall', async () => {
    using folder = tempFolder()
    const path = join(folder.path, 'hal.http-token')
    const given = { name: 'hal', domain: 'example.org', trustOnFirstUse: true, http: '[::]:9443' }
    const answers = resolveAnswers(given)
    const [planned] = httpActions({ answers, layout: layoutOf('hal'), version: '1.2.3' })
    if (planned?.kind !== 'file') throw new Error('no file of a token is planned')
    const action: Action = { ...planned, path, group: 'daemon' }
    const state = {
      schemaVersion: 1,
      node: 'hal',
      version: '1.2.3',
      begunMs: 1,
      finished: false,
      passphrase: null
    } as const
    const journal = new Journal(join(folder.path, 'journal'), { ...state, answers, entries: [] })
    const install = async (): Promise<string> => {
      await executeAction(action, journal, tools, {})
      await journal.finish({ shown: true })
      return readFileSync(path, 'utf8')
    }
    const token = await install()
    expect(token).toMatch(/^[\w-]{32}\n$/)
    expect(readToken(path)).toBe(token.trim())
    expect(ownership(path)).toEqual([0o640, 0, daemon])
    expect(readFileSync(join(folder.path, 'journal/hal.json'), 'utf8')).not.toContain(token.trim())
    writeFileSync(path, 'chosen-by-the-operator\n')
    expect(await install()).toBe('chosen-by-the-operator\n')
    rmSync(path)
    expect(await install()).not.toBe(token)
    await revertAll(journal, [], tools)
    expect(existsSync(path)).toBe(false)
  })

  it('that was there before stays, and is in no journal either', async () => {
    using folder = tempFolder()
    const path = join(folder.path, 'hal.http-token')
    writeFileSync(path, 'chosen-by-the-operator\n', { mode: 0o600 })
    const asked = { path, text: '@TOKEN@\n', mode: 0o640, owner: 'root', group: 'daemon' }
    const action: Action = { kind: 'file', ...asked, secret: true, once: true, filled: true }
    const undo = await doable(action).before(tools)
    expect(JSON.stringify(undo)).not.toContain('chosen')
    await doable(action).apply(tools, undo)
    expect(ownership(path)).toEqual([0o640, 0, daemon])
    writeFileSync(path, 'chosen-again\n')
    await doable(action).revert(undo, tools)
    expect([ownership(path), readFileSync(path, 'utf8')]).toEqual([[0o600, 0, 0], 'chosen-again\n'])
  })
})
