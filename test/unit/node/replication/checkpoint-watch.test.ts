import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { CheckpointWatch } from '../../../../src/node/replication/checkpoint-watch.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { LogNetwork } from '../../../helpers/log-network.ts'

/** A replica that is followed by a push, and a checkpoint of which it does not hold the entries. */
async function behind() {
  const network = new LogNetwork()
  const { root, replica: ahead } = await network.start()
  const follower = await network.follower(ahead)
  await root.append([network.admit(ahead.networkId, 1)])
  const { bytes: checkpoint } = await root.checkpoint()
  const pulls: unknown[] = []
  const watch = new CheckpointWatch({
    replica: follower.replica,
    cosignatures: { take: async () => 0 },
    clock: systemClock,
    logger: silentLogger,
    sync: () => ({ follows: true, pull: (from) => pulls.push(from) }),
    onFailed: () => {},
    onHeard: () => {}
  })
  return { watch, close: () => follower.close(), pulls, checkpoint }
}

it('asks for a head that was shown once the push had its time', async () => {
  const { watch, pulls, checkpoint } = await behind()
  await expect(watch.shown(checkpoint)).resolves.toBe(true)
  expect(pulls).toHaveLength(1)
})

it('wakes from its wait when it is stopped, and touches the store no more', async () => {
  const { watch, close, pulls, checkpoint } = await behind()
  const shown = watch.shown(checkpoint)
  await setImmediate()
  watch.stop()
  close()
  await expect(shown).resolves.toBe(true)
  expect(pulls).toEqual([])
})
