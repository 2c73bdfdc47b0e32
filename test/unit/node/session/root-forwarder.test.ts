import { describe, expect, it, onTestFinished } from 'vitest'
import { RootForwarder } from '../../../../src/node/session/root-forwarder.ts'
import type { Forward } from '../../../../src/registry/admission/root-request-queue.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { PendingError } from '../../../../src/runtime/errors.ts'
import { eventually } from '../../../helpers/network.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

const replication = {
  enabled: true,
  intervalMs: 60_000,
  syncTimeoutMs: 10_000,
  queueLimit: 100,
  backoffInitialMs: 10,
  backoffMaxMs: 20,
  backoffMultiplier: 2
}

const wayOf = (registry: Registry): RootForwarder => {
  const way = new RootForwarder({ registry, config: { replication }, logger: silentLogger })
  onTestFinished(() => way.close())
  return way
}

const ask = async (network: RealNetwork, registry: Registry, name: string): Promise<void> => {
  const wish = network.wish({ name, invite: await network.invite() })
  await network.sync(registry)
  await expect(registry.admission.join(wish)).rejects.toThrow(PendingError)
}

describe('the way to the root', () => {
  it('sends what waits again when the root takes nothing yet', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    secondary.admission.forward = () => Promise.reject(new Error('the root is away'))
    await ask(network, secondary, 'ann')
    network.root.root?.fence('it has just started and listens')
    let refused = 0
    const forward: Forward = async (request) => {
      try {
        return await network.forward(request)
      } catch (error) {
        refused++
        throw error
      }
    }
    wayOf(secondary).open(forward)
    await eventually(() => refused > 1)
    expect(secondary.admission.queued).toBe(1)
    network.root.root?.release()
    await eventually(() => secondary.admission.queued === 0)
    expect(network.root.replica.state.memberByName('ann')).toBeDefined()
  })

  it('sends what is queued while it is open', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    let asked = 0
    wayOf(secondary).open(async (request) => {
      if (asked++ === 0) throw new Error('the stream broke')
      return await network.forward(request)
    })
    await ask(network, secondary, 'ann')
    await eventually(() => secondary.admission.queued === 0)
    expect(network.root.replica.state.memberByName('ann')).toBeDefined()
  })

  it('asks nobody any more once it is closed', async () => {
    await using network = await RealNetwork.create()
    const secondary = await network.addSecondary('sec')
    secondary.admission.forward = () => Promise.reject(new Error('the root is away'))
    await ask(network, secondary, 'ann')
    const way = wayOf(secondary)
    const first = Promise.withResolvers<void>()
    let asked = 0
    way.open(() => {
      asked++
      first.resolve()
      return Promise.reject(new Error('the root is overloaded'))
    })
    await first.promise
    way.close()
    await expect(secondary.admission.replayQueue()).resolves.toBe(0)
    expect(asked).toBe(1)
    expect(secondary.admission.queued).toBe(1)
  })
})
