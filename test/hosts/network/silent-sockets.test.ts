import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { attack, control } from '../../attacks/attack.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { type HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { attackerPrefix, threeSites } from './three-sites.ts'

const program = resolve('dist/bin/trustnet.js')
const script = (name: string) => resolve(`dist/test/hosts/${name}.js`)
const joins = 20
const loops = 300
/** Handshakes of a /64 where nobody is known. */
const perPrefix = 4

describeUnless(whyNoNamespaces())('300 silent sockets of one /64', () => {
  let network: HostNetwork
  let networkId = ''
  let address = ''
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
  const begun = (label: string): number => Number(network.log('bad', label).trim().split('\n').at(-1))
  const flood = (label: string): ChildProcess => {
    const to = [network.host('root').address, '8000', attackerPrefix, String(loops)]
    return network.start('bad', label, [process.execPath, script('silent-sockets'), ...to])
  }
  let root: ChildProcess
  const startRoot = async (env: NodeJS.ProcessEnv = {}): Promise<void> => {
    root = network.start('root', 'root', [process.execPath, program, 'registry', 'start'], { ...home(), ...env })
    await eventually(() => status()?.membership.state === 'member')
  }
  /** Connections of the attacker that the root has taken: others wait in the system. */
  const held = (): number =>
    network
      .run('root', ['ss', '-Hntp6', 'state', 'established', 'sport', '=', ':8000'])
      .split('\n')
      .filter((line) => line.includes('users:') && line.includes(`[${attackerPrefix}:`)).length

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = threeSites()
    const made: { networkId: string } = JSON.parse(
      cli('init', '--name', 'root', '--domain', 'example.test', '--policy', 'open', '--new-network', '--json')
    )
    networkId = made.networkId
    await startRoot()
    address = `/ip6/${network.host('root').address}/tcp/8000`
  })

  afterAll(() => network?.[Symbol.dispose]())

  attack('keep honest machines from joining', async () => {
    const silent = flood('bad')
    await eventually(() => begun('bad') > 1_000)
    const work = [process.execPath, script('honest-joins'), address, networkId, String(joins)]
    const out = network.run('good', work, {}, undefined, ceilingMs)
    const ms: number[] = JSON.parse(out)
    const handshakes = held()
    const made = begun('bad')
    silent.kill('SIGKILL')
    expect(made).toBeGreaterThan(2_000)
    expect(ms).toHaveLength(joins)
    // And those that are being refused at this moment.
    expect(handshakes).toBeLessThanOrEqual(2 * perPrefix)
    expect(status()?.word).toBeDefined()
    return {
      happened: `${made} connections: ${handshakes} held at the end; ${joins} of ${joins} joined`,
      held: 'limits.unfinishedPerPrefix'
    }
  })

  control('all of them are held where their prefix is exempt from the limit', async () => {
    root.kill('SIGTERM')
    await once(root, 'exit')
    await startRoot({ TRUSTNET_LIMITS_EXEMPT_PREFIXES: `${attackerPrefix}::/64` })
    const silent = flood('exempt')
    await eventually(() => held() > loops / 2)
    silent.kill('SIGKILL')
  })
})
