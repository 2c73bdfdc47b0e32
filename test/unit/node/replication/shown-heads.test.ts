import { expect, it } from 'vitest'
import { peerIdText } from '../../../../src/identity/keys.ts'
import { CheckpointWatch } from '../../../../src/node/replication/checkpoint-watch.ts'
import { ShownHeads } from '../../../../src/node/replication/shown-heads.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { keyNumber, LogNetwork } from '../../../helpers/log-network.ts'

const { publicKey } = keyNumber(50)
const peerId = peerIdText(publicKey)

/** A root with some entries, and what a registry shows it. */
async function watched() {
  const network = new LogNetwork()
  const { root, replica } = await network.start()
  const append = async (member: number): Promise<void> => {
    await root.append([network.admit(replica.networkId, member)])
  }
  await append(1)
  const { clock } = network
  const heads = new ShownHeads({ replica, clock })
  const lag = () => heads.lagOf(peerId)
  const at = (n: number) => ({ epoch: replica.head.epoch, n })
  return { root, replica, append, clock, heads, lag, at }
}

it('knows nothing of a registry that showed nothing', async () => {
  const { lag } = await watched()
  expect(lag()).toEqual({ shown: null, behind: null })
})

it('counts the entries from the head that was shown last, and says how old that word is', async () => {
  const { heads, lag, at, replica, clock } = await watched()
  const { n } = replica.head
  heads.note(publicKey, at(n - 1))
  clock.nowMs += 10_000
  expect(lag()).toEqual({ shown: { epoch: 0, head: n - 1, ageMs: 10_000 }, behind: 1 })
  heads.note(publicKey, at(n))
  expect(lag()).toEqual({ shown: { epoch: 0, head: n, ageMs: 0 }, behind: 0 })
  // This view is the one that is behind.
  heads.note(publicKey, at(n + 5))
  expect(lag().behind).toBe(0)
})

it('calls nobody behind for a word from before the own head changed, or that crossed the change', async () => {
  const { heads, lag, at, replica, append, clock } = await watched()
  const { n } = replica.head
  heads.note(publicKey, at(n))
  clock.nowMs += 60_000
  await append(2)
  expect(lag()).toEqual({ shown: { epoch: 0, head: n, ageMs: 60_000 }, behind: null })
  heads.note(publicKey, at(n))
  expect(lag().behind).toBeNull()
  clock.nowMs += 2_000
  heads.note(publicKey, at(n))
  expect(lag().behind).toBe(1)
})

it.each([
  ['calls nobody behind', 'ten seconds', 1, 10_000],
  ['calls nobody up to date', 'five minutes', 0, 300_000]
])('%s for a word that is older than %s', async (_what, _time, behind, ms) => {
  const { heads, lag, at, replica, clock } = await watched()
  const head = replica.head.n - behind
  heads.note(publicKey, at(head))
  clock.nowMs += ms
  expect(lag().behind).toBe(behind)
  clock.nowMs++
  expect(lag()).toEqual({ shown: { epoch: 0, head, ageMs: ms + 1 }, behind: null })
})

it('takes no word back for one that was heard before it', async () => {
  const { heads, lag, at, replica, clock } = await watched()
  const { n } = replica.head
  const before = clock.monotonic()
  clock.nowMs += 1_000
  heads.note(publicKey, at(n))
  heads.note(publicKey, at(n - 1), before)
  expect(lag().shown?.head).toBe(n)
})

it('counts no entries from one epoch to another', async () => {
  const { heads, lag, replica } = await watched()
  heads.note(publicKey, { epoch: replica.head.epoch - 1, n: 0 })
  expect(lag().behind).toBeNull()
})

it('hears of a checkpoint that a member shows once it was verified', async () => {
  const { root, replica, append, clock } = await watched()
  const old = await root.checkpoint()
  const heard = new CheckpointWatch({
    replica,
    cosignatures: { take: async () => 0 },
    clock,
    logger: silentLogger,
    sync: () => undefined,
    onFailed: () => {},
    onHeard: () => {}
  })
  await append(2)
  clock.nowMs += 2_000
  await expect(heard.shown(new Uint8Array(90), publicKey)).resolves.toBe(false)
  expect(heard.positions.get(peerId)).toBeUndefined()
  await expect(heard.shown(old.bytes)).resolves.toBe(true)
  expect(heard.positions.get(peerId)).toBeUndefined()
  await expect(heard.shown(old.bytes, publicKey)).resolves.toBe(true)
  expect(heard.positions.lagOf(peerId)).toEqual({ shown: { epoch: 0, head: old.value.n, ageMs: 0 }, behind: 1 })
})
