import { expect } from 'vitest'
import type { TrustNode } from '../../src/node/node.ts'
import { createNetworkHere } from '../../src/node/offline/create-network.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'
import { WallClock } from '../helpers/wall-clock.ts'
import { attack, control } from './attack.ts'

const day = 86_400_000
const in2099 = (): number => Date.UTC(2099, 0, 1) - Date.now()

const checkpointMs = ({ registry }: TrustNode): number => registry.replica.checkpoint?.value.timeMs ?? 0
const isMember = (at: TrustNode, who: TrustNode): boolean => at.registry.replica.isMember(who.key.publicKey)
const alarmsOf = ({ registry }: TrustNode): string[] => registry.alarms.list().map(({ code }) => code)

attack('the clock of the root jumps to 2099 and back', async () => {
  const clock = new WallClock()
  await using network = await TestNetwork.create({}, { clock })
  const root = network.node('root')
  const hal = network.make('hal', { 'bootstrap.peers': [network.address('root')] }, { clock: new WallClock() })
  await hal.start()
  await hal.joined({ signal: AbortSignal.timeout(30_000) })
  const { head } = root.registry.replica
  const beforeMs = checkpointMs(root)

  const awayMs = in2099()
  clock.add(awayMs)
  await eventually(() => alarmsOf(root).includes('clock_step'))
  await expect(root.registry.root?.checkpoint()).rejects.toThrow(/has stepped by 7\d years/)
  await expect(root.control.revoke({ peer: 'hal', reason: 'no' })).rejects.toThrow(/registry clock --accept/)
  expect(await root.control.clock()).toMatchObject({ appends: false, checkpointMs: beforeMs })
  expect(root.registry.replica.head).toEqual(head)

  clock.add(-awayMs)
  await root.registry.root?.checkpoint()
  await root.control.invite({ role: 'integrated' })
  await eventually(() => checkpointMs(hal) > beforeMs)
  for (const node of [root, hal]) {
    expect(Math.abs(checkpointMs(node) - Date.now())).toBeLessThan(day)
    expect([isMember(node, root), isMember(node, hal)]).toEqual([true, true])
  }
  return {
    happened: '73 years forward and back while it ran: 0 entries and 0 checkpoints signed meanwhile, all members stay',
    held: 'a wall clock that steps by more than 10 min against the monotonic one signs nothing; the time before goes on'
  }
})

attack('a root that was started with a clock 100 days ahead', async () => {
  const clock = new WallClock()
  await using network = await TestNetwork.create({}, { clock })
  const hal = network.make('hal', { 'bootstrap.peers': [network.address('root')] }, { clock: new WallClock() })
  await hal.start()
  await hal.joined({ signal: AbortSignal.timeout(30_000) })
  await network.node('root').stop()
  clock.add(100 * day)
  const { port } = network.node('root').attached
  const wrong = await network.start('root', { role: 'root', 'listen.port': port })
  await eventually(() => wrong.registry.root?.refusal === undefined, 45_000)
  const poisoned = await wrong.registry.root?.checkpoint()
  await eventually(() => checkpointMs(hal) === poisoned?.value.timeMs)
  // Nobody else goes by it.
  expect([isMember(hal, wrong), isMember(hal, hal)]).toEqual([true, true])
  await wrong.stop()

  clock.add(-100 * day)
  const root = await network.start('root', { role: 'root', 'listen.port': port })
  await eventually(() => root.registry.root?.refusal?.message.includes('behind the newest checkpoint') === true, 45_000)
  expect(await root.control.acceptClock()).toMatchObject({ appends: true, stepMs: null })
  await eventually(() => Math.abs(checkpointMs(hal) - Date.now()) < day)
  expect(Math.abs(root.registry.replica.timeMs - Date.now())).toBeLessThan(day)
  await network.join('bob')
  await eventually(() => hal.registry.replica.state.memberByName('bob') !== undefined)
  return {
    happened: 'checkpoints of 100 days ahead were signed; one command brought root and member back to the right time',
    held: 'a time that has not come is nobody’s time, and gives way to one that has; an operator says that the clock is right'
  }
})

control('a root whose clock and operator say that 100 days have passed signs that time', async () => {
  const clock = new WallClock()
  const network = new TestNetwork({ 'admission.policy': 'open' }, { clock })
  await using _ = network
  const { config } = network.config('root', { role: 'root' })
  network.networkId = (await createNetworkHere(config, { newNetwork: true })).networkId
  const root = await network.start('root', { role: 'root' })
  await root.registry.root?.checkpoint()
  clock.add(100 * day)
  await expect(root.registry.root?.checkpoint()).rejects.toThrow(/has stepped by 100 days/)
  await root.control.acceptClock()
  expect(checkpointMs(root) - Date.now()).toBeGreaterThan(99 * day)
})
