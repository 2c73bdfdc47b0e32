import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { main } from '../../../src/cli/main.ts'
import { controlClient } from '../../../src/node/api/client.ts'
import { processesOf, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { tempFolder } from '../../helpers/temp.ts'

const wait = { timeout: ceilingMs, interval: 50 }

const pidOf = (folder: string, name: string): number => {
  const found = processesOf(folder).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${name}.yaml`))
  if (found === undefined) throw new Error(`no process of ${name}`)
  return found
}

test('dev without a terminal: its root is killed, it says so and goes on until a signal', async () => {
  using folder = tempFolder()
  const dev = startProgram(['dev', '--nodes', '1', '--dir', folder.path], {})
  let errors = ''
  dev.process.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  await vi.waitFor(() => expect(dev.soFar()).toContain('3 members: 3 online'), wait)
  process.kill(pidOf(folder.path, 'root'), 'SIGKILL')
  const node = controlClient({ path: join(folder.path, 'run', 'node-1.sock') })
  await vi.waitFor(() => expect(errors).toContain('root was ended by SIGKILL'), wait)
  await vi.waitFor(async () => {
    const { peers } = await node.peers()
    expect(peers.find(({ name }) => name === 'root')?.state).toMatch(/unknown|suspect|offline/)
  }, wait)
  expect(dev.process.exitCode).toBeNull()
  dev.process.kill('SIGTERM')
  expect(await dev.ended).toMatchObject({ code: 0 })
  expect(processesOf(folder.path)).toEqual([])
})

test('keys of dev kill, freeze, cut off and bring back a process, and add a node', async () => {
  using folder = tempFolder()
  let screen = ''
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const write = (text: string): void => {
    screen = text
  }
  const ended = main({
    argv: ['dev', '--nodes', '1', '--dir', folder.path],
    stdout: { isTTY: true, write },
    stderr: { isTTY: true, write: () => true },
    stdin,
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    signal: new AbortController().signal
  })
  const shows = (what: string | RegExp): Promise<void> => vi.waitFor(() => expect(screen).toMatch(what), wait)
  await shows(/3 members: 3 online/)
  expect(screen).toContain('[root]  secondary  node-1')

  stdin.write('k')
  await shows(/\[root ended\]/)
  await shows(/^root +\S+ +(?!online|in )\w/m)
  stdin.write('b')
  await shows(/3 members: 3 online/)

  stdin.write('\t')
  stdin.write('f')
  await shows(/\[secondary frozen\]/)
  await shows(/^secondary +\S+ +(?!online|in )\w/m)
  stdin.write('b')
  await shows(/3 members: 3 online/)

  stdin.write('\t')
  stdin.write('c')
  await shows(/\[node-1 cut off\]/)
  await shows(/^node-1 +\S+ +(?!online|in )\w/m)
  stdin.write('b')
  await shows(/3 members: 3 online/)

  stdin.write('a')
  await shows(/4 members: 4 online/)
  stdin.write('q')
  expect(await ended).toBe(0)
  expect(processesOf(folder.path)).toEqual([])
})
