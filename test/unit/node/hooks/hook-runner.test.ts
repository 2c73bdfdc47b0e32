import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { hookRefusal } from '../../../../src/node/hooks/hook-field.ts'
import { type HookEvent, HookRunner } from '../../../../src/node/hooks/hook-runner.ts'
import { eventOf } from '../../../../src/node/member-events.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const folders: Disposable[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder[Symbol.dispose]()
})

const event = (name: string, kind: HookEvent['event'] = 'join'): HookEvent => ({
  event: kind,
  at: '2026-11-30T00:00:00.000Z',
  node: { peerId: 'self', name: 'hal' },
  peer: { peerId: '12D3KooW', name, state: 'online', reason: null },
  alarm: null
})

/** A hook with this script, what it has been told, and what the log says of it. */
function hook(script: string, timeoutMs = 30_000) {
  const folder = tempFolder()
  folders.push(folder)
  const path = join(folder.path, 'hook')
  writeFileSync(path, `#!/bin/sh\ncd ${folder.path} || exit 1\n${script}\n`, { mode: 0o755 })
  const warnings: string[] = []
  const warn = (fields: object, message: string): void => void warnings.push(`${JSON.stringify(fields)} ${message}`)
  const logger = { ...silentLogger, warn }
  const runner = new HookRunner({ program: () => path, timeoutMs: () => timeoutMs, logger })
  const file = (name: string): string =>
    existsSync(join(folder.path, name)) ? readFileSync(join(folder.path, name), 'utf8') : ''
  return { runner, path, warnings, file, folder: folder.path }
}

const until = async (check: () => void): Promise<void> => await vi.waitFor(check, { timeout: ceilingMs, interval: 20 })

describe('a hook', () => {
  it('gets each event as JSON on its stdin and a few variables, in a clean environment, one at a time', async () => {
    vi.stubEnv('SECRET_TOKEN', 'do-not-tell')
    const { runner, file, warnings } = hook(
      'cat >> events; env >> env; echo end >> order; test ! -e busy || echo both >> order; : > busy; rm busy'
    )
    for (const name of ['a', 'b', 'c']) runner.add(event(name))
    await until(() => expect(file('order').split('\n')).toHaveLength(4))
    const told = file('events')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(told).toMatchObject(['a', 'b', 'c'].map((name) => ({ schema: 1, event: 'join', peer: { name } })))
    expect(file('env')).toContain('TRUSTNET_EVENT=join\n')
    expect(file('env')).toContain('TRUSTNET_PEER_NAME=a\n')
    expect(file('env')).not.toContain('do-not-tell')
    expect(file('order')).not.toContain('both')
    await until(() => expect(warnings).toEqual([]))
    vi.unstubAllEnvs()
  })

  it('that hangs is ended with all that it started, and one that fails is logged; the next event runs', async () => {
    const { runner, file, warnings, folder } = hook(
      'read -r line; case "$TRUSTNET_PEER_NAME" in slow) sleep 1000 & echo $! > child; wait;; bad) exit 7;; *) echo ok > done;; esac',
      500
    )
    for (const name of ['slow', 'bad', 'good']) runner.add(event(name))
    await until(() => expect(file('done')).toBe('ok\n'))
    expect(warnings.join('\n')).toMatch(/ran for longer than 0.5 s and was ended[\s\S]*it ended with 7/)
    const child = Number(file('child'))
    await until(() => expect(() => process.kill(child, 0)).toThrow('ESRCH'))
    expect(folder).not.toBe('')
  })

  it('is not buried under events: those that find no place are dropped, and counted', async () => {
    const { runner, warnings } = hook('read -r line; sleep 1000')
    for (let number = 0; number < 500; number++) runner.add(event(`m${number}`))
    expect(runner.dropped).toBe(399)
    expect(warnings).toHaveLength(1)
    runner.stop()
    runner.add(event('late'))
    expect(runner.dropped).toBe(399)
  })

  it('is refused where others may write it, where it is nobody to be trusted, and where it is no program', () => {
    const { path } = hook('true')
    expect(hookRefusal(path)).toBeUndefined()
    chmodSync(path, 0o775)
    expect(hookRefusal(path)).toContain('may be written by others')
    chmodSync(path, 0o644)
    expect(hookRefusal('hook.sh')).toContain('no absolute path')
    expect(hookRefusal('/nonexistent')).toContain('ENOENT')
    expect(hookRefusal('/tmp')).toContain('is no file')
    const empty = hook('true').path
    writeFileSync(empty, '')
    expect(hookRefusal(empty)).toContain('is empty')
    // It knows nothing of sh -c.
    expect(hookRefusal('/bin/sh -c true')).toContain('ENOENT')
  })

  it('is refused in a folder in which others may put another one in its place', () => {
    const { path, folder } = hook('true')
    chmodSync(folder, 0o777)
    expect(hookRefusal(path)).toContain(`${folder} may be written by others`)
    // As /tmp is: only their owners take files away.
    chmodSync(folder, 0o1777)
    expect(hookRefusal(path)).toBeUndefined()
  })

  it('is refused behind a link that others may turn elsewhere', () => {
    const { path, folder } = hook('true')
    const others = join(folder, 'others')
    mkdirSync(others)
    symlinkSync(path, join(others, 'hook'))
    // Its own folder is in order: the link on the way is not.
    symlinkSync(join('others', 'hook'), join(folder, 'link'))
    expect(hookRefusal(join(folder, 'link'))).toBeUndefined()
    chmodSync(others, 0o777)
    expect(hookRefusal(join(others, 'hook'))).toContain(`${others} may be written by others`)
    expect(hookRefusal(join(folder, 'link'))).toContain(`${others} may be written by others`)
    expect(hookRefusal(path)).toBeUndefined()
    const circle = join(folder, 'circle')
    symlinkSync(circle, circle)
    expect(hookRefusal(circle)).toContain('ELOOP')
  })

  it.skipIf(process.getuid?.() !== 0)('is refused behind a link of another user', () => {
    const { path, folder } = hook('true')
    const link = join(folder, 'link')
    symlinkSync(path, link)
    lchownSync(link, 65_534, 65_534)
    expect(hookRefusal(link)).toContain(`${link} belongs to user 65534`)
  })

  it.skipIf(process.getuid?.() !== 0)('of the user of a service is no fault of a configuration that root reads', () => {
    const { path } = hook('true')
    chownSync(path, 65_534, 65_534)
    expect(hookRefusal(path)).toContain('belongs to user 65534')
    const text = `hooks:\n  onEvent: ${path}\n`
    expect(parseConfig({ text, file: '/etc/node.yaml', env: {} }).config.hooks.onEvent).toBe(path)
  })

  it('that others were let write after the start is not run', async () => {
    const { runner, path, file, warnings } = hook('read -r line; echo ran > done')
    chmodSync(path, 0o777)
    runner.add(event('a'))
    await until(() => expect(warnings.join()).toContain('may be written by others'))
    expect(file('done')).toBe('')
  })

  it('is run when a member changes its state, and not for what is learned for the first time', () => {
    expect([
      eventOf(undefined, 'online'),
      eventOf('online', 'late'),
      eventOf('online', 'suspect'),
      eventOf('suspect', 'offline'),
      eventOf('offline', 'online'),
      eventOf('left', 'online'),
      eventOf('online', 'left'),
      eventOf('unknown', 'online')
    ]).toEqual([undefined, undefined, 'suspect', 'offline', 'back', 'back', 'leave', undefined])
  })
})
