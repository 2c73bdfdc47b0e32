import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { PendingView } from '../../../src/node/api/registry-views.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { type HostNetwork, whyNoNamespaces } from '../../hosts/host-network.ts'
import { threeSites } from '../../hosts/network/three-sites.ts'
import { attack, control } from '../attack.ts'

const program = resolve('dist/bin/trustnet.js')
const script = resolve('dist/test/hosts/stranger-joins.js')
/** The list holds 1,000. */
const bots = 1_050

describeUnless(whyNoNamespaces())('a root whose operator lets machines in', () => {
  let network: HostNetwork
  let networkId = ''
  const env = (host: string) => ({ TRUSTNET_HOME: join(network.host(host).folder, 'home') })
  const cli = (host: string, ...args: string[]) => network.run(host, [process.execPath, program, ...args], env(host))
  const pending = (): PendingView['pending'] => {
    try {
      const view: PendingView = JSON.parse(cli('root', 'registry', 'pending', '--json'))
      return view.pending
    } catch {
      // Not up yet: the caller asks again until its deadline.
      return []
    }
  }
  const waits = (name: string): boolean => pending().some((joiner) => joiner.name === name)
  const honest = (name: string): void => {
    const address = `/ip6/${network.host('root').address}/tcp/8000`
    const start = ['node', 'start', '--name', name, '--domain', 'wait.test', '--network', networkId, '--peer', address]
    network.start('good', name, [process.execPath, program, ...start], {
      TRUSTNET_HOME: join(network.host('good').folder, name)
    })
  }

  beforeAll(() => {
    network = threeSites()
    // The attacker has a /48 of its own.
    network.run('bad', ['ip', '-6', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global'])
    network.run('bad', ['ip', '-6', 'addr', 'add', 'fd10:7a11:bad::1/48', 'dev', 'eth0', 'nodad'])
    network.run('bad', ['ip', '-6', 'route', 'add', 'fd10:7a11:5e7::/48', 'dev', 'eth0'])
    network.run('root', ['ip', '-6', 'route', 'replace', 'fd10:7a11:bad::/48', 'dev', 'eth0'])
    const args = ['--name', 'root', '--domain', 'wait.test', '--policy', 'approve', '--new-network', '--json']
    const made: { networkId: string } = JSON.parse(cli('root', 'init', ...args))
    networkId = made.networkId
    network.start('root', 'root', [process.execPath, program, 'registry', 'start'], env('root'))
  })
  afterAll(() => network?.[Symbol.dispose]())

  control('a join without an invite waits', async () => {
    honest('early')
    await eventually(() => waits('early'), ceilingMs)
  })

  attack('a stranger fills the list of joins that wait', async () => {
    const address = `/ip6/${network.host('root').address}/tcp/8000`
    network.start('bad', 'bots', [process.execPath, script, address, networkId, String(bots)])
    const begun = (): number => Number(network.log('bad', 'bots').trim().split('\n').at(-1))
    await eventually(() => begun() >= bots, 2 * ceilingMs, begun)
    honest('late')
    await eventually(() => waits('late'), ceilingMs)
    expect(waits('early')).toBe(true)
    const full = pending().length
    const out = cli('root', 'registry', 'reject', '--matching', 'bot-*', '--json')
    const { rejected }: { rejected: number } = JSON.parse(out)
    expect(full).toBeLessThanOrEqual(1_000)
    expect(rejected).toBeGreaterThan(900)
    expect(pending().map(({ name }) => name)).toEqual(['early', 'late'])
    return {
      happened: `${begun()} joins from a /48: the list holds ${full}, both honest ones stay on it, one command turns ${rejected} away`,
      held: 'the oldest of the asker that has most gives way, and joins end after 7 days'
    }
  })
})
