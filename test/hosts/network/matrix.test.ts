import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import type { MatrixView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const script = (name: string) => resolve(`dist/test/hosts/${name}.js`)
const port = 8000

describeUnless(whyNoNamespaces())('a member behind a firewall that lets the root in alone', () => {
  it('is shown in the matrix as reached by the root and by nobody else, and the pair as one-way', async () => {
    if (!existsSync(script('matrix-root'))) throw new Error('dist is missing: npm run build')
    using network = new HostNetwork(['root', 'open', 'shut'])
    const { address: rootHost } = network.host('root')
    const firewall = `table ip6 firewall { chain input { type filter hook input priority 0;
      ct state new tcp dport ${port} ip6 saddr != ${rootHost} drop; }; }`
    network.run('shut', ['nft', '-f', '-'], {}, firewall)

    network.start('root', 'root', [process.execPath, script('matrix-root'), rootHost, '3', 'open,shut'])
    const told = (): string[] =>
      network
        .log('root', 'root')
        .split('\n')
        .filter((line) => line.startsWith('{'))
    await eventually(
      () => told().length > 0,
      ceilingMs,
      () => network.log('root', 'root')
    )
    const { address, networkId }: { address: string; networkId: string } = JSON.parse(told()[0] ?? '')
    for (const name of ['open', 'shut']) {
      const own = `/ip6/${network.host(name).address}/tcp/${port}`
      network.start(name, name, [process.execPath, script('member-at'), address, networkId, own, name, String(port)])
    }
    await eventually(
      () => told().length > 1,
      ceilingMs,
      () => network.log('root', 'root')
    )
    const { members, pairs }: MatrixView = JSON.parse(told()[1] ?? '')
    const words = members.find(({ name }) => name === 'shut')?.addresses.flatMap((each) => each.words)
    expect(words?.map(({ prober, failure }) => [prober.name, failure]).toSorted()).toEqual([
      ['open', 'noAnswer'],
      ['root', null]
    ])
    expect(pairs.find(({ from, to }) => from.name === 'open' && to.name === 'shut')).toMatchObject({
      reaches: false,
      oneWay: true
    })
  })
})
