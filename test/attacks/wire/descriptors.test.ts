import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { type HostNetwork, whyNoNamespaces } from '../../hosts/host-network.ts'
import { threeSites } from '../../hosts/network/three-sites.ts'
import { attack, control } from '../attack.ts'

const program = resolve('dist/bin/trustnet.js')
const script = (name: string) => resolve(`dist/test/hosts/${name}.js`)
/** The attacker's /48: 65,536 prefixes of which each may hold some handshakes. */
const attackerPrefix = 'fd10:7a11:bad'
const descriptors = 256
const joins = 5
const limited = ['prlimit', `--nofile=${descriptors}:${descriptors}`]

describeUnless(whyNoNamespaces())('a process that may have 256 descriptors', () => {
  let network: HostNetwork
  let networkId = ''
  const home = () => ({ TRUSTNET_HOME: join(network.host('root').folder, 'home') })
  const cli = (...args: string[]) => network.run('root', [process.execPath, program, ...args], home())
  const status = (): StatusView | undefined => {
    try {
      const view: StatusView = JSON.parse(cli('status', '--json'))
      return view
    } catch {
      // Not up yet: the caller asks again until its deadline.
      return undefined
    }
  }
  const attackOn = (port: string, label: string) =>
    network.start('bad', label, [
      process.execPath,
      script('silent-sockets'),
      network.host('root').address,
      port,
      attackerPrefix,
      '600'
    ])
  const begun = (label: string): number => Number(network.log('bad', label).trim().split('\n').at(-1))

  beforeAll(async () => {
    network = threeSites()
    const bad = network.host('bad').address
    network.run('root', ['ip', '-6', 'route', 'add', `${attackerPrefix}::/48`, 'via', bad])
    network.run('bad', ['ip', '-6', 'route', 'add', 'local', `${attackerPrefix}::/48`, 'dev', 'lo'])
    const args = ['--name', 'root', '--domain', 'example.test', '--policy', 'open', '--new-network', '--json']
    const made: { networkId: string } = JSON.parse(cli('init', ...args))
    networkId = made.networkId
  })

  afterAll(() => network?.[Symbol.dispose]())

  attack('silent connections from thousands of /64s use up the descriptors', async () => {
    const root = network.start('root', 'root', [...limited, process.execPath, program, 'registry', 'start'], home())
    await eventually(() => status()?.membership.state === 'member', ceilingMs)
    const silent = attackOn('8000', 'silent')
    await eventually(() => begun('silent') > 3_000, ceilingMs)
    const address = `/ip6/${network.host('root').address}/tcp/8000`
    const work = [process.execPath, script('honest-joins'), address, networkId, String(joins)]
    const joined: number[] = JSON.parse(network.run('good', work, {}, undefined, ceilingMs))
    const found = cli('lookup', 'root', '--json')
    const open = readdirSync(`/proc/${rootPid(root.pid)}/fd`).length
    silent.kill('SIGKILL')
    expect(root.exitCode).toBeNull()
    expect(joined).toHaveLength(joins)
    expect(found).toContain('"name": "root"')
    expect(open).toBeLessThan(descriptors)
    expect(network.log('root', 'root')).not.toContain('EMFILE')
    return {
      happened: `${begun('silent')} silent connections from a /48: ${joined.length} of ${joins} honest joins, ${open} of ${descriptors} descriptors used`,
      held: 'connections follow RLIMIT_NOFILE, and of the silent ones the oldest goes'
    }
  })

  control('a process that takes whatever comes has no descriptor left for a file', async () => {
    const greedy = `
      const { createServer } = require('node:net'), { openSync, closeSync } = require('node:fs')
      createServer().listen(8001, '::')
      setInterval(() => { try { closeSync(openSync('/dev/null')) } catch (error) { console.log(error.code) } }, 50)`
    network.start('root', 'greedy', [...limited, process.execPath, '-e', greedy])
    attackOn('8001', 'silent-too')
    await eventually(() => network.log('root', 'greedy').includes('EMFILE'), ceilingMs)
  })
})

/** `ip netns exec` and `prlimit` become the program they run. */
const rootPid = (pid: number | undefined): number => {
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('trustnet')
  return Number(pid)
}
