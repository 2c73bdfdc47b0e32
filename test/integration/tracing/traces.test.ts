import { expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt } from '../../helpers/network-views.ts'

interface Line {
  node: string
  message: string
  request?: string
  trace?: string
}

it('a join has one trace at the joiner, the secondary and the root, and the services of its configuration reach them', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const second = await network.join('second', { role: 'secondary' })
  const services = ['web:8080', { name: 'dns', port: 53, protocol: 'udp', tags: ['b', 'a'] }]
  const a = network.make('a', { 'bootstrap.peers': [network.address('second')], services })
  a.invites.use({ ...(await network.invite({ role: 'integrated' })), registries: [] })
  await a.start()
  await a.joined({ signal: AbortSignal.timeout(ceilingMs) })
  expect(leaseAt(a)).toBe('second')

  const lines = network.logs.map((line): Line => JSON.parse(line))
  const traces = lines
    .filter(({ node, message }) => node === 'a' && message === 'registering')
    .map((line) => line.trace)
  const said = lines.filter(({ message }) => message === 'answering a request of a trace')
  const together = traces.map((trace) =>
    said.filter((line) => line.trace === trace).map(({ node, request }) => `${node}: ${request}`)
  )
  expect(traces.every((trace) => /^[0-9a-f]{32}$/.test(trace ?? ''))).toBe(true)
  expect(together).toContainEqual(['second: register', 'root: forward'])

  const offered = [
    { name: 'dns', port: 53, protocol: 'udp', tags: ['a', 'b'], state: 'unknown' },
    { name: 'web', port: 8080, protocol: 'tcp', tags: [], state: 'unknown' }
  ]
  for (const node of [network.node('root'), second]) {
    await eventually(async () => (await node.control.lookup({ service: 'dns' })).rows.length === 1)
    expect((await node.control.lookup({ service: 'dns' })).rows).toMatchObject([{ name: 'a', services: offered }])
    expect((await node.control.lookup({ service: 'smtp' })).rows).toEqual([])
  }
})
