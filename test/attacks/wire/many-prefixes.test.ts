import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { type HostNetwork, whyNoNamespaces } from '../../hosts/host-network.ts'
import { attackerPrefix, morePrefixes, threeSites } from '../../hosts/network/three-sites.ts'
import { attack, control } from '../attack.ts'

const program = resolve('dist/bin/trustnet.js')
const script = (name: string) => resolve(`dist/test/hosts/${name}.js`)
const joins = 5
const loops = 300
/** Handshakes of a /64 where nobody is known. */
const perPrefix = 4

describeUnless(whyNoNamespaces())('an attacker with nine /64s, in the /48 of the honest ones', () => {
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
  const lines = (label: string): string[] => network.log('bad', label).trim().split('\n')
  const begin = (label: string, name: string, ...args: string[]) =>
    network.start('bad', label, [process.execPath, script(name), ...args])
  const joinSome = (name: string): number[] => {
    const work = [process.execPath, script('honest-joins'), address, networkId, String(joins), name]
    return JSON.parse(network.run('good', work, {}, undefined, ceilingMs))
  }
  /** Connections from these /64s that the root has taken: others wait in the system. */
  const held = (prefixes: string[]): number =>
    network
      .run('root', ['ss', '-Hntp6', 'state', 'established', 'sport', '=', ':8000'])
      .split('\n')
      .filter((line) => line.includes('users:') && prefixes.some((prefix) => line.includes(`[${prefix}:`))).length
  const named = (): string[] =>
    (status()?.limits ?? []).flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`))

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = threeSites()
    const init = ['init', '--name', 'root', '--domain', 'example.test', '--policy', 'open', '--new-network', '--json']
    const made: { networkId: string } = JSON.parse(cli(...init))
    networkId = made.networkId
    network.start('root', 'root', [process.execPath, program, 'registry', 'start'], home())
    await eventually(() => status()?.membership.state === 'member')
    address = `/ip6/${network.host('root').address}/tcp/8000`
  })

  afterAll(() => network?.[Symbol.dispose]())

  attack(
    'a member that names eight of them in its record holds handshakes from there with silent sockets',
    async () => {
      const addresses = morePrefixes.map((prefix) => `/ip6/${prefix}::1/tcp/9000`).join(',')
      begin('mallory', 'member-at', address, networkId, addresses)
      await eventually(() => lines('mallory').includes('joined'))
      const sockets = begin(
        'silent',
        'silent-sockets',
        network.host('root').address,
        '8000',
        morePrefixes.join(','),
        String(loops)
      )
      await eventually(() => Number(lines('silent').at(-1)) > 3 * loops)
      const ms = joinSome('early')
      const handshakes = held(morePrefixes)
      sockets.kill('SIGKILL')
      expect(ms).toHaveLength(joins)
      // And those that are being refused at this moment.
      expect(handshakes).toBeLessThanOrEqual(2 * morePrefixes.length * perPrefix)
      for (const prefix of morePrefixes)
        expect(named().join()).toContain(`${prefix.split(':').at(-1) ?? ''}::/ipcidr/64`)
      return {
        happened: `${loops} sockets at a time, ${lines('silent').at(-1)} in all: ${handshakes} handshakes held, ${joins} of ${joins} joined`,
        held: 'limits.unfinishedPerPrefix: a /64 is known where a member proved itself'
      }
    }
  )

  attack('32 idle strangers of all of them hold the places of the /48', async () => {
    const strangers = begin('idle', 'idle-strangers', address, [attackerPrefix, ...morePrefixes].join(','), '40')
    await eventually(() => Number(lines('idle').at(-1)) > 40)
    const ms = joinSome('late')
    strangers.kill('SIGKILL')
    expect(ms).toHaveLength(joins)
    expect(named().filter((each) => each.startsWith('strangers.open')).length).toBeGreaterThan(0)
    return {
      happened: `${lines('idle').at(-1)} connections of 40 strangers, ${joins} of ${joins} honest ones of their /48 joined, the slowest in ${Math.max(...ms)} ms`,
      held: 'strangers.open: the oldest idle one goes'
    }
  })

  control('nobody of the honest ones was named', async () => {
    expect(named().filter((each) => each.includes(':0002:'))).toEqual([])
  })
})
