import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PeersView, StatusView } from '../../../src/node/api/control-api.ts'
import { codeOf } from '../../../src/runtime/error-code.ts'
import { whyNoPowerCuts } from '../../faults/disk.ts'
import { type Running, runProgram, startProgram } from '../../helpers/built-program.ts'
import { eventually } from '../../helpers/network.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'

const diskBytes = 6 * 1024 * 1024

describeUnless(whyNoPowerCuts())('a registry whose disk is full', () => {
  const folder = tempFolder()
  const home = folder.path
  const disk = join(home, 'data')
  const env = { TRUSTNET_HOME: home }
  const cli = (...args: string[]) => runProgram(args, env)
  const onDisk = (name: string) => join(disk, name)
  let root: Running
  let node: Running | undefined
  let network = ''
  let fillers = 0

  const status = async (name: string): Promise<StatusView | undefined> => {
    const { out } = await cli('status', '--node', name, '--json')
    return out === '' ? undefined : (JSON.parse(out) as StatusView)
  }
  const isMember = async (name: string) => (await status(name))?.membership.state === 'member'
  const addressOf = async (name: string): Promise<string> => {
    const { out } = await cli('peers', '--node', name, '--json')
    const { peers } = JSON.parse(out) as PeersView
    const self = peers.find((row) => row.name === name)
    return self?.addresses[0] ?? ''
  }
  // The root may have taken some of it between the two calls: full it is then, too.
  const fill = (): void => {
    const { bavail, bsize } = statfsSync(disk)
    try {
      writeFileSync(onDisk(`filler-${fillers++}`), new Uint8Array(bavail * bsize))
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error
    }
  }
  // Nobody answers there, at once: nothing here needs DNS.
  const settings = ['--set', 'announce.allow=loopback', '--set', 'bootstrap.dnsServers=[::1]:1']
  const startRoot = (port = '0'): Running =>
    startProgram(['registry', 'start', '--name', 'root', '--port', port, ...settings], env)

  beforeAll(async () => {
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=700`, 'tmpfs', disk])
    const made = await cli(
      'init',
      '--name',
      'root',
      '--domain',
      'full.test',
      '--policy',
      'open',
      '--new-network',
      '--json'
    )
    expect(made.code).toBe(0)
    network = (JSON.parse(made.out) as { networkId: string }).networkId
    root = startRoot()
    await eventually(() => isMember('root'))
  })

  afterAll(async () => {
    node?.process.kill('SIGKILL')
    root.process.kill('SIGKILL')
    await Promise.all([root.ended, node?.ended])
    execFileSync('umount', ['-l', disk])
    rmSync(home, { recursive: true, force: true })
  })

  it('answers what is asked, refuses what must be written and says why, also after a restart, and goes on when there is room', async () => {
    fill()
    const refused = await cli('invite', '--node', 'root')
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('no space left')
    expect((await cli('peers', '--node', 'root', '--json')).code).toBe(0)
    expect(root.process.exitCode).toBeNull()
    // Joiners that come meanwhile are not turned away for good.
    const address = await addressOf('root')
    const peer = ['--domain', 'full.test', '--network', network, '--peer', address, '--port', '0']
    node = startProgram(['node', 'start', '--name', 'alpha', '--data', join(home, 'alpha'), ...peer, ...settings], env)
    await eventually(async () => (await status('alpha'))?.membership.state === 'none')

    root.process.kill('SIGKILL')
    await root.ended
    root = startRoot(/\/tcp\/(\d+)\//.exec(address)?.[1])
    await eventually(() => isMember('root'))
    // What its start had given back; what its files have room for inside is used up first.
    const invite = async (): Promise<string> => {
      fill()
      return (await cli('invite', '--node', 'root')).err
    }
    await eventually(async () => (await invite()).includes('no space left'))

    while (fillers > 0) rmSync(onDisk(`filler-${--fillers}`))
    const invited = await cli('invite', '--node', 'root')
    expect(invited.code).toBe(0)
    expect(invited.out).toContain('tnet1')
    await eventually(() => isMember('alpha'))
    root.process.kill('SIGTERM')
    expect((await root.ended).code).toBe(0)
  })

  it('says so when the disk can only be read, and starts again when it can be written', async () => {
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const refused = await startRoot().ended
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/check the disk|cannot be|read-?only/i)
    execFileSync('mount', ['-o', 'remount,rw', disk])
    root = startRoot()
    await eventually(() => isMember('root'))
  })
})
