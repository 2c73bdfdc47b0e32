import { expect, it } from 'vitest'
import { defaults } from '../../../src/node/config/defaults.ts'
import { Replicator } from '../../../src/node/replication/replicator.ts'
import { Staleness } from '../../../src/node/replication/staleness.ts'
import { silentLogger, systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../src/runtime/supervisor.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { keyNumber, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect, startHost } from '../../helpers/hosts.ts'

it('a registry that does not serve what it was asked is asked again after a minute, and not every moment', async () => {
  await using network = new RegistryNetwork()
  const root = await network.startRoot(4)
  const follower = await network.startFollower(root, keyNumber(1))
  const registry = await startHost({}, { privateKey: keyNumber(2).toLibp2p() })
  const pauses: number[] = []
  const logger = {
    ...silentLogger,
    warn: (fields: { retry_after_seconds?: number }) => pauses.push(fields.retry_after_seconds ?? 0)
  }
  const clock = systemClock
  const keeper = new Replicator({
    target: follower.registry,
    trust: follower.trust,
    limits: follower.limits,
    clock,
    logger,
    config: {
      role: 'integrated',
      replication: {
        ...defaults.replication,
        queueLimit: 0,
        intervalMs: ceilingMs,
        backoffInitialMs: 10,
        backoffMaxMs: 50
      }
    },
    lag: new Staleness({ clock, graceMs: 60_000, answeringForMs: () => 0, onBehind: () => {} }),
    owner: {
      isServed: () => true,
      leaseHolder: () => keyNumber(2).publicKey,
      sourceFailed: () => {},
      sourceShowed: () => {},
      unanswered: () => {},
      caughtUp: () => {}
    }
  })
  try {
    keeper.start(new Supervisor())
    await connect(follower.host, registry)
    await expect.poll(() => pauses.length, { timeout: ceilingMs }).toBeGreaterThan(0)
    expect(pauses).toEqual([60])
  } finally {
    keeper.stop()
    await registry.stop()
  }
})
