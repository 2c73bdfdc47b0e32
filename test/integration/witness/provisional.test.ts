import { expect, it } from 'vitest'
import { statusText } from '../../../src/cli/output/status-text.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { memberAt } from '../../helpers/network-views.ts'

const isFinal = ({ registry }: TrustNode): boolean =>
  registry.finality.needed === 2 && registry.finality.provisionalSinceMs === undefined
/** Longer than a join takes anywhere; a clock that goes on by a little more is no step. */
const graceMs = 300_000
const passedMs = graceMs + 60_000

it('a network whose witnesses are away goes on as its policy says, says so, and is whole again when they are back', async () => {
  const clock = new WallClock()
  await using network = await TestNetwork.create({}, { clock })
  const root = network.node('root')
  const witnesses = ['one', 'two']
  for (const name of witnesses) await network.join(name, { role: 'secondary' })
  const member = await network.join('member')
  await eventually(() => root.registry.replica.state.registries().length === 3)
  await root.control.setPolicy({ witnesses: 2, witnessGraceMs: graceMs })
  await eventually(() => network.nodes.every(isFinal))

  const ports = witnesses.map((name) => network.node(name).attached.port)
  for (const name of witnesses) await network.node(name).stop()
  const late = await network.join('late')
  const { publicKey } = memberAt(root, 'late')
  await eventually(() => member.registry.replica.isMember(publicKey))

  clock.add(passedMs)
  await eventually(() => [root, member].every(({ registry }) => registry.replica.isHeldBack(publicKey)))
  await eventually(() => root.registry.alarms.list().some(({ code }) => code === 'unwitnessed'))
  const said = statusText(await root.control.status(), (_, text) => text, clock.now())
  expect(said).toMatch(/head \d+ is provisional since .*, final up to \d+,/)
  // Who was there before stays, and revokes count.
  expect(root.registry.replica.isMember(member.key.publicKey)).toBe(true)
  const out = await network.join('out')
  await root.control.revoke({ peer: 'out', reason: 'stolen' })
  await eventually(() => !member.registry.replica.isMember(out.key.publicKey))

  for (const [index, name] of witnesses.entries()) {
    await network.start(name, { role: 'secondary', 'listen.port': ports[index] })
  }
  await eventually(() => [root, member, late].every(isFinal))
  await eventually(() => member.registry.replica.isMember(publicKey))
  await late.joined({ signal: AbortSignal.timeout(ceilingMs) })
})
