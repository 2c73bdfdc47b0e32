import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import type { PeersView } from '../../../src/node/api/control-api.ts'
import { processesOf, runProgram, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tn-dev-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const parse = (text: string): PeersView => {
  const view: PeersView = JSON.parse(text)
  return view
}

const statesOf = (view: PeersView) =>
  view.peers
    .map(({ name, role, state }) => [name, role, state])
    .toSorted(([a], [b]) => String(a).localeCompare(String(b)))

const expected = [
  ['node-1', 'integrated', 'online'],
  ['node-2', 'integrated', 'online'],
  ['root', 'root', 'online'],
  ['secondary', 'secondary', 'online']
]

test('dev --once: from nothing to everybody online, then nothing is left; the same folder starts again, with one more', async () => {
  const first = await runProgram(['dev', '--once', '--nodes', '2', '--json', '--dir', folder], {})
  expect(first.err).toContain('4 of 4 online')
  expect(first.code).toBe(0)
  expect(statesOf(parse(first.out))).toEqual(expected)
  expect(processesOf(folder)).toEqual([])

  const again = await runProgram(['dev', '--once', '--nodes', '3', '--dir', folder], {})
  expect(again.code).toBe(0)
  expect(again.out).toMatch(/^root …\w{8} in dev\.trustnet\.test · 5 members: 5 online/)
  expect(again.out).toContain('NAME')
  expect(processesOf(folder)).toEqual([])
})

test('dev that is killed takes its processes with it', async () => {
  const dev = startProgram(['dev', '--once', '--nodes', '1', '--dir', folder], {})
  const root = controlClient({ path: join(folder, 'run', 'root.sock') })
  await vi.waitFor(() => root.status(), { timeout: ceilingMs, interval: 50 })
  expect(processesOf(folder).length).toBeGreaterThan(0)
  dev.process.kill('SIGKILL')
  await dev.ended
  await vi.waitFor(() => expect(processesOf(folder)).toEqual([]), { timeout: ceilingMs, interval: 50 })
})

test('dev shares its folder with no other, stops at a signal and says where its logs are', async () => {
  const dev = startProgram(['dev', '--once', '--nodes', '1', '--dir', folder], {})
  const root = controlClient({ path: join(folder, 'run', 'root.sock') })
  await vi.waitFor(() => root.status(), { timeout: ceilingMs, interval: 50 })
  const second = await runProgram(['dev', '--once', '--dir', folder], {})
  expect(second).toMatchObject({ code: 2, out: '' })
  expect(second.err).toContain(`A network runs in ${folder} already`)
  dev.process.kill('SIGTERM')
  const { err } = await dev.ended
  expect(err).toContain(folder)
  expect(processesOf(folder)).toEqual([])
  expect(existsSync(join(folder, 'run', 'root.sock'))).toBe(false)
  expect(await readFile(join(folder, 'log', 'root.log'), 'utf8')).toContain('"level"')
})

test('dev --json ends with the reader of its lines, at the next change, and leaves nothing', async () => {
  const dev = startProgram(['dev', '--json', '--nodes', '1', '--dir', folder], {})
  await vi.waitFor(() => expect(dev.soFar()).toContain('\n'), { timeout: ceilingMs, interval: 50 })
  dev.process.stdout?.destroy()
  const { self } = await controlClient({ path: join(folder, 'run', 'node-1.sock') }).status()
  process.kill(self.pid, 'SIGKILL')
  expect(await dev.ended).toMatchObject({ code: 0, err: expect.stringContaining('stopping') })
  expect(processesOf(folder)).toEqual([])
})

test('dev --detach leaves the network running, prints an invite line alone, and says how it ends', async () => {
  const { out, err } = await runProgram(['dev', '--detach', '--nodes', '1', '--dir', folder], {})
  const pid = Number(/`kill (\d+)` ends it/.exec(err)?.[1] ?? Number.NaN)
  expect(pid, err).toBeGreaterThan(0)
  try {
    expect(out).toMatch(/^tnet1\S+\n$/)
    const [, home = ''] = /export TRUSTNET_HOME=(\S+)\n {2}trustnet peers --node node-1/.exec(err) ?? []
    expect(await runProgram(['peers', '--node', 'node-1'], { TRUSTNET_HOME: home })).toMatchObject({ code: 0 })
    const { counts } = await controlClient({ path: join(folder, 'run', 'root.sock') }).peers()
    expect(counts.online).toBe(3)
    const second = await runProgram(['dev', '--detach', '--dir', folder], {})
    expect(second).toMatchObject({ code: 1, out: '', err: expect.stringContaining('dev.log') })
  } finally {
    process.kill(pid, 'SIGTERM')
  }
  await vi.waitFor(() => expect(processesOf(folder)).toEqual([]), { timeout: ceilingMs, interval: 50 })
})
