import { describe, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { createNetworkHere } from '../../../src/node/offline/create-network.ts'
import { fenceReason } from '../../../src/node/root/root-controller.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

const day = 86_400_000
const in2099 = (): number => Date.UTC(2099, 0, 1) - Date.now()

const checkpointMs = ({ registry }: TrustNode): number => registry.replica.checkpoint?.value.timeMs ?? 0
const isMember = (at: TrustNode, who: TrustNode): boolean => at.registry.replica.isMember(who.key.publicKey)
const alarmsOf = ({ registry }: TrustNode): string[] => registry.alarms.list().map(({ code }) => code)

/** A network with a member, whose clock is right, and a root that starts again with one that is 100 days ahead. */
async function startedAhead(withMember: boolean, clock = new WallClock()) {
  const network = await TestNetwork.create({}, { clock })
  const hal = network.make('hal', { 'bootstrap.peers': [network.address('root')] }, { clock: new WallClock() })
  await hal.start()
  await hal.joined({ signal: AbortSignal.timeout(ceilingMs) })
  const { grant } = await network.invite({ role: 'integrated' })
  await eventually(() => hal.registry.replica.head.n === network.node('root').registry.replica.head.n)
  const { port } = network.node('root').attached
  const flags = { role: 'root', 'listen.port': port }
  await network.node('root').stop()
  if (!withMember) await hal.stop()
  clock.add(100 * day)
  const wrong = await network.start('root', flags)
  const again = async (): Promise<TrustNode> => {
    await wrong.stop()
    clock.add(-100 * day)
    return await network.start('root', flags)
  }
  return { network, hal, grant, wrong, again, address: network.address('root') }
}

// Each has a network of its own, and waits most of the time.
describe.concurrent('clocks that are wrong', () => {
  attack('the clock of the root jumps to 2099 and back', async () => {
    const clock = new WallClock()
    await using network = await TestNetwork.create({}, { clock })
    const root = network.node('root')
    const hal = network.make('hal', { 'bootstrap.peers': [network.address('root')] }, { clock: new WallClock() })
    await hal.start()
    await hal.joined({ signal: AbortSignal.timeout(ceilingMs) })
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
      happened:
        '73 years forward and back while it ran: 0 entries and 0 checkpoints signed meanwhile, all members stay',
      held: 'a wall clock that steps by more than 10 min against the monotonic one signs nothing; the time before goes on'
    }
  })

  attack('a root that was started with a clock 100 days ahead, among members', async () => {
    const { network, hal, wrong, again } = await startedAhead(true)
    await using _ = network
    const beforeMs = checkpointMs(hal)
    await eventually(() => alarmsOf(wrong).includes('clock_doubt'))
    // First it listens for newer heads.
    await eventually(() => wrong.registry.root?.refusal?.message !== fenceReason)
    await expect(wrong.registry.root?.checkpoint()).rejects.toThrow(/100 days ahead of that of 1 of 1 members/)
    expect([checkpointMs(wrong), checkpointMs(hal)]).toEqual([beforeMs, beforeMs])
    expect(network.logs.some((line) => line.includes('"level":"error"') && line.includes('100 days ahead'))).toBe(true)
    const root = await again()
    await eventually(() => root.registry.root?.refusal === undefined)
    await root.registry.root?.checkpoint()
    await eventually(() => checkpointMs(hal) > beforeMs)
    expect(checkpointMs(hal) - Date.now()).toBeLessThan(day)
    return {
      happened:
        'the clock of a member said otherwise: 0 checkpoints signed, an error line and an alarm; goes on when put right',
      held: 'after a pause of an hour nothing is signed while the clocks of more members differ than agree'
    }
  })

  attack('a root that was started alone with a clock 100 days ahead', async () => {
    const { network, hal: before, grant, wrong, again, address } = await startedAhead(false)
    await using _ = network
    await eventually(() => wrong.registry.root?.refusal === undefined)
    await wrong.registry.root?.checkpoint()
    expect(network.logs.some((line) => line.includes('no member has confirmed that time'))).toBe(true)
    const hal = network.make('hal', { 'bootstrap.peers': [address] }, { clock: new WallClock() })
    await hal.start()
    await eventually(() => alarmsOf(wrong).includes('clock_doubt'))
    await expect(wrong.registry.root?.checkpoint()).rejects.toThrow(/nothing is signed/)
    // The invite, which ended 100 days ago by that clock, is not ended for good.
    expect(wrong.registry.replica.state.grant(grant.id)).toBeDefined()
    // Nobody else goes by it.
    expect([isMember(hal, wrong), isMember(hal, before)]).toEqual([true, true])

    const root = await again()
    await eventually(() => root.registry.root?.refusal?.message.includes('behind the newest checkpoint') === true)
    expect(await root.control.acceptClock()).toMatchObject({ appends: true, stepMs: null })
    await eventually(() => Math.abs(checkpointMs(hal) - Date.now()) < day)
    expect(Math.abs(root.registry.replica.timeMs - Date.now())).toBeLessThan(day)
    await network.join('bob')
    await eventually(() => hal.registry.replica.state.memberByName('bob') !== undefined)
    return {
      happened:
        'it signed until the first member came, and no more; no invite was ended; one command brought all to the right time',
      held: 'a time that no member confirms ends nothing for good; one that has not come is nobody’s time'
    }
  })

  attack('a root that was started alone with a clock 100 days ahead, before the time service has set it', async () => {
    const clock = new WallClock()
    clock.served = false
    const { network, wrong } = await startedAhead(false, clock)
    await using _ = network
    const beforeMs = checkpointMs(wrong)
    await eventually(() => wrong.registry.root?.refusal?.message !== fenceReason)
    await expect(wrong.registry.root?.checkpoint()).rejects.toThrow(/neither a member nor the time service/)
    await expect(wrong.control.invite({ role: 'integrated' })).rejects.toThrow(/registry clock --accept/)
    expect(checkpointMs(wrong)).toBe(beforeMs)
    clock.add(-100 * day)
    clock.served = true
    await wrong.registry.root?.checkpoint()
    expect(checkpointMs(wrong)).toBeGreaterThan(beforeMs)
    expect(checkpointMs(wrong) - Date.now()).toBeLessThan(day)
    return {
      happened:
        '0 entries and 0 checkpoints signed until the time service had set the clock; then it went on by itself',
      held: 'where no member decides, nothing is signed while the machine has a time service that has not set the clock'
    }
  })

  control('a root that was away for 100 days signs alone when the time service has set its clock', async () => {
    const clock = new WallClock()
    clock.served = true
    const { network, wrong } = await startedAhead(false, clock)
    await using _ = network
    await eventually(() => wrong.registry.root?.refusal === undefined)
    await wrong.registry.root?.checkpoint()
    expect(checkpointMs(wrong) - Date.now()).toBeGreaterThan(99 * day)
    expect(wrong.registry.root?.clock.isConfirmed).toBe(true)
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
})
