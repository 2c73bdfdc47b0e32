import { expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { seenBy } from '../../helpers/network-views.ts'

const hour = 3_600_000
/** As short as it gets, so that two leases are soon over. */
const leaseMs = 3_000
const flags = { 'heartbeat.interval': '1s', 'heartbeat.timeout': '900ms' }

it('clocks that step by an hour or two, each way, end no membership and make nobody look away', async () => {
  const clocks = { root: new WallClock(), second: new WallClock(), a: new WallClock() }
  await using network = await TestNetwork.create(flags, { clock: clocks.root })
  const start = async (name: 'second' | 'a', more: Record<string, unknown>): Promise<TrustNode> => {
    const peers = { 'bootstrap.peers': [network.address('root')] }
    const node = network.make(name, { ...peers, ...more }, { clock: clocks[name] })
    if (name === 'second') node.invites.use(await network.invite({ role: 'secondary' }))
    await node.start()
    await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
    return node
  }
  await start('second', { role: 'secondary' })
  await start('a', {})
  const names = ['root', 'second', 'a'] as const
  for (const name of names) await seenBy(network.nodes, name, 'online')

  const seen = new Set<string>()
  for (const { registry } of network.nodes) {
    registry.events.addEventListener('hint', ({ detail }) => seen.add(detail.hint.state))
  }
  const stepped = async (steps: Record<(typeof names)[number], number>): Promise<void> => {
    for (const name of names) clocks[name].add(steps[name])
    await expect(network.node('root').registry.root?.checkpoint()).rejects.toThrow(/has stepped by/)
    await network.node('root').control.acceptClock()
    const until = performance.now() + 2 * leaseMs
    await eventually(() => performance.now() > until)
    for (const { registry } of network.nodes) {
      for (const { key } of network.nodes) expect(registry.replica.isMember(key.publicKey)).toBe(true)
    }
    for (const name of names) await seenBy(network.nodes, name, 'online')
  }
  await stepped({ root: hour, second: -hour, a: 0 })
  await stepped({ root: -2 * hour, second: 2 * hour, a: hour })
  // A machine that is short of time may be late, whatever its clock says.
  expect([...seen].filter((state) => state !== 'online' && state !== 'late')).toEqual([])
})
