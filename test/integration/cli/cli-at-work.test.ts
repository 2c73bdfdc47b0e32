import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import { processesOf, programPath, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { ControlHome, ScriptedApi } from '../../helpers/control-process.ts'
import { silentPeer, stoppedEnv, stoppedRoot } from '../../helpers/faults/stopped-root.ts'
import { tempFolder } from '../../helpers/temp.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const codeOf = (signal: (typeof signals)[number]): number => 128 + constants.signals[signal]
describe.each(signals)('%s while it works', (signal) => {
  test('a plan of a new root that asks the members: nothing was changed, and nothing is left', async () => {
    using root = await stoppedRoot()
    const { server, address } = await silentPeer()
    using _ = { [Symbol.dispose]: () => server.close() }
    const before = readdirSync(root.data)
    const asked = once(server, 'connection')
    const program = startProgram(['registry', 'promote', '--peer', address], stoppedEnv(root.path))
    await asked
    program.process.kill(signal)
    const { code, err } = await program.ended
    expect({ code, err }).toEqual({
      code: codeOf(signal),
      err: `Asking the members for their log …\nInterrupted by ${signal}: nothing was changed.\n`
    })
    expect(readdirSync(root.data)).toEqual(before)
  })

  test('promote and recover, asking: no new epoch is begun, and the same command goes on', async () => {
    using root = await stoppedRoot()
    const { server, address } = await silentPeer()
    using _ = { [Symbol.dispose]: () => server.close() }
    for (const which of ['promote', 'recover']) {
      const asked = once(server, 'connection')
      const program = startProgram(['registry', which, '--peer', address, '--yes'], stoppedEnv(root.path))
      await asked
      program.process.kill(signal)
      const { code, err } = await program.ended
      expect({ which, code }).toEqual({ which, code: codeOf(signal) })
      expect(err).toMatch(/^Interrupted by \w+: what was begun may be half done/m)
      const { out } = await runProgram(['registry', 'verify', '--json'], stoppedEnv(root.path))
      expect(JSON.parse(out)).toMatchObject({ head: { epoch: 0 } })
    }
  })

  test('a command whose reader takes nothing more ends at once', async () => {
    const api = new ScriptedApi()
    const [row] = api.peersAnswer.peers
    if (row === undefined) throw new Error('no row')
    const rows = Array.from({ length: 3000 }, (_, n) => ({ ...row, name: `node-${n}` }))
    api.peersAnswer = { ...api.peersAnswer, peers: rows }
    await using home = await ControlHome.create()
    await home.serve('hal', api)
    const child = spawn(process.execPath, [programPath, 'peers', '--json'], {
      env: { PATH: process.env['PATH'], TRUSTNET_HOME: home.folder },
      stdio: ['ignore', 'pipe', 'ignore']
    })
    // The first bytes are there, and the rest, longer than a pipe holds, is read by nobody.
    await once(child.stdout, 'readable')
    child.kill(signal)
    const [code] = await once(child, 'exit')
    expect(code).toBe(codeOf(signal))
  })
})

const hanging = fileURLToPath(new URL('../../helpers/commands/hanging-close.mjs', import.meta.url))

test('a daemon that does not stop says what hangs, and ends with 1', async () => {
  using root = await stoppedRoot()
  const env = { ...stoppedEnv(root.path), NODE_OPTIONS: `--import ${hanging}` }
  const program = startProgram(['registry', 'start'], env)
  const client = controlClient({ path: join(root.path, 'run', 'root.sock') })
  await vi.waitFor(() => client.status(), { timeout: ceilingMs, interval: 50 })
  program.process.kill('SIGTERM')
  const { code, err } = await program.ended
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/did not stop within .* the control socket hangs/)
  })
})

test('dev that makes its network: SIGHUP ends all of it, nothing is left, exit code 129', async () => {
  using folder = tempFolder()
  const dev = startProgram(['dev', '--nodes', '1', '--dir', folder.path], {})
  const root = controlClient({ path: join(folder.path, 'run', 'root.sock') })
  await vi.waitFor(() => root.status(), { timeout: ceilingMs, interval: 20 })
  dev.process.kill('SIGHUP')
  expect(await dev.ended).toMatchObject({
    code: 129,
    err: expect.stringContaining('Interrupted by SIGHUP: all of it was stopped.')
  })
  expect(processesOf(folder.path)).toEqual([])
})

test('a drill that makes its network: Ctrl-C ends all of it, its folder is gone, and it says so', async () => {
  using folder = tempFolder()
  const drill = startProgram(['drill', 'root-down'], { TMPDIR: folder.path })
  const made = async (): Promise<string> => {
    const [found] = readdirSync(folder.path)
    if (found === undefined) throw new Error('no folder yet')
    await controlClient({ path: join(folder.path, found, 'run', 'root.sock') }).status()
    return join(folder.path, found)
  }
  const network = await vi.waitFor(made, { timeout: ceilingMs, interval: 20 })
  drill.process.kill('SIGINT')
  const { code, err } = await drill.ended
  expect(code).toBe(130)
  expect(err).toContain('Interrupted by SIGINT')
  expect(processesOf(network)).toEqual([])
  expect(readdirSync(folder.path)).toEqual([])
})
