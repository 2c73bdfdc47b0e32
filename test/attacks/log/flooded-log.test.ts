import { afterEach, beforeEach, expect } from 'vitest'
import type { LimitOverrides } from '../../../src/protocols/engine/limits.ts'
import { SyncCursors, sync } from '../../../src/protocols/sync/index.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { keyNumber, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect } from '../../helpers/hosts.ts'
import { attack, control } from '../attack.ts'

let network: RegistryNetwork

beforeEach(() => {
  network = new RegistryNetwork()
})

afterEach(() => network[Symbol.asyncDispose]())

const MiB = 2 ** 20
/** What 25 a second come to in a quarter of an hour. */
const admissions = 20_000
/** Memory by which the process may grow meanwhile, in which both ends are. */
const most = 200 * MiB

/** Both ends are on one event loop here: a reader that verifies is no reader that stalls. */
const sharedLoop: LimitOverrides = {
  stream: { stallMs: ceilingMs },
  sync: { patienceMs: ceilingMs, progressMs: ceilingMs }
}

/** A newcomer follows a network that was flooded with joins; beside it, somebody who was there before asks for what is new. */
async function newcomerOf(members: number, meanwhile = (): void => {}) {
  const root = await network.startRoot(1, sharedLoop)
  const before = await network.startFollower(root, keyNumber(1), sharedLoop)
  await pull(before)
  await network.admit(root, 2, members)
  const newcomer = await network.startFollower(root, keyNumber(2), sharedLoop)
  let mostBytes = 0
  const rss = process.memoryUsage.rss()
  const sampler = setInterval(() => (mostBytes = Math.max(mostBytes, process.memoryUsage.rss())), 20)
  const begunAt = performance.now()
  meanwhile()
  await pull(newcomer)
  const ms = performance.now() - begunAt
  clearInterval(sampler)
  await pull(before)
  return { root, newcomer, before, ms, grown: mostBytes - rss }

  async function pull(follower: typeof root) {
    const { registry, limits } = follower
    const options = { limits, logger: silentLogger, subscribe: false, records: true, cursors: new SyncCursors() }
    await sync(await connect(follower.host, root.host), registry, options)
  }
}

attack(
  `an open network is flooded with ${admissions.toLocaleString('en-US')} joins before somebody comes`,
  async () => {
    const { root, newcomer, before, ms, grown } = await newcomerOf(admissions)
    for (const { registry } of [newcomer, before]) {
      expect(registry.replica.head).toEqual(root.registry.replica.head)
      expect(registry.replica.state.member(keyNumber(admissions).publicKey)).toBeDefined()
    }
    expect(ms).toBeLessThan(ceilingMs)
    expect(grown).toBeLessThan(most)
    return {
      happened: `the newcomer had all of it after ${(ms / 1_000).toFixed(1)} s, and held ${Math.round(grown / MiB)} MiB more at most`,
      held: 'pages of 128 KiB, as fast as the reader takes them'
    }
  }
)

control('so many entries are what is synced', async () => {
  const { newcomer } = await newcomerOf(500)
  expect(newcomer.registry.replica.head.n).toBeGreaterThanOrEqual(500)
})

control('memory that is held meanwhile is seen', async () => {
  const kept: Buffer[] = []
  const { grown } = await newcomerOf(500, () => kept.push(Buffer.alloc(2 * most, 1)))
  expect(grown).toBeGreaterThan(most)
  expect(kept).toHaveLength(1)
})
