import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exitCodes } from '../../../src/cli/output/exit.ts'
import type { RegistryStatusView, StatusView } from '../../../src/node/api/control-api.ts'
import { Disk, whyNoPowerCuts } from '../../faults/disk.ts'
import { type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { eventually } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'

const describeHere = describeUnless(whyNoPowerCuts())

const domain = 'fails.test'

describeHere('a running registry whose disk fails, so that the system lets it be read alone', () => {
  const folder = tempFolder()
  const env = { TRUSTNET_HOME: folder.path }
  // Nobody answers there, at once: nothing here needs DNS.
  const settings = ['--port', '0', '--set', 'announce.allow=loopback', '--set', 'bootstrap.dnsServers=[::1]:1']
  const started: Running[] = []
  let disk: Disk
  let root: Running

  const cli = (...args: string[]) => runProgram(args, env)
  const start = (...args: string[]): Running => {
    const running = startProgram([...args, ...settings], env)
    started.push(running)
    return running
  }
  /** Undefined: no process answers yet, or none did in time. Any other failure of the command is one of the test. */
  const status = async (name: string): Promise<StatusView | undefined> => {
    const { code, out, err } = await cli('status', '--node', name, '--json')
    if (root.process.exitCode !== null) throw new Error(`the root has ended: ${JSON.stringify(await root.ended)}`)
    if (code === exitCodes.notRunning || err.includes('did not answer in')) return undefined
    expect({ code, err, root: root.process.exitCode }).toEqual({ code: exitCodes.fine, err: '', root: null })
    return JSON.parse(out)
  }
  const isMember = async (name: string) => (await status(name))?.membership.state === 'member'

  beforeAll(async () => {
    disk = new Disk()
    symlinkSync(disk.path, join(folder.path, 'data'))
    const options = ['--name', 'root', '--domain', domain, '--policy', 'open', '--new-network']
    expect((await cli('init', ...options)).code).toBe(0)
    root = start('registry', 'start', '--name', 'root')
    await eventually(() => isMember('root'))
  })

  afterAll(async () => {
    for (const { process: child } of started) child.kill('SIGKILL')
    await Promise.all(started.map(({ ended }) => ended))
    disk?.[Symbol.dispose]()
    folder[Symbol.dispose]()
  })

  it('goes on with what can be read, refuses to sign, says what to do, and starts again when it is mended', async () => {
    const head = async (): Promise<RegistryStatusView['log']> => {
      const { out } = await cli('registry', 'status', '--node', 'root', '--json')
      const view: RegistryStatusView = JSON.parse(out)
      return view.log
    }
    const before = await head()
    disk.fail()
    const refused = await cli('invite', '--node', 'root')
    expect(refused.code).toBe(1)
    expect(refused.out).toBe('')
    expect(refused.err).toMatch(/registry\.db cannot be written .*check the disk/)
    for (const command of [['peers'], ['lookup', 'root'], ['registry', 'log'], ['registry', 'status']]) {
      expect((await cli(...command, '--node', 'root', '--json')).code, command.join(' ')).toBe(0)
    }
    const view = await status('root')
    expect(view?.word).toBe('degraded')
    expect(view?.warnings).toContainEqual(expect.objectContaining({ code: 'store_fails', level: 'warning' }))
    expect((await cli('status', '--node', 'root', '--check')).code).toBe(5)
    expect(root.process.exitCode).toBeNull()
    expect(await head()).toMatchObject({ head: before.head, headHash: before.headHash })

    // The system does not let such a disk be written again before it was unmounted.
    root.process.kill('SIGTERM')
    await root.ended
    disk.repair()
    root = start('registry', 'start', '--name', 'root')
    await eventually(() => isMember('root'))
    await eventually(async () => (await status('root'))?.warnings.every(({ code }) => code !== 'store_fails') ?? false)
    expect(await head()).toMatchObject({ head: before.head, headHash: before.headHash })
    expect((await cli('invite', '--node', 'root')).code).toBe(0)
    expect(await head()).toMatchObject({ head: before.head + 1 })
  })
})
