import type { Connection, Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, expect } from 'vitest'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { defaults } from '../../../src/node/config/defaults.ts'
import { Replicator } from '../../../src/node/replication/replicator.ts'
import { Staleness } from '../../../src/node/replication/staleness.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { SyncCursors, sync, syncId } from '../../../src/protocols/sync/index.ts'
import { SyncFrame, SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { silentLogger, systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../src/runtime/supervisor.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect, startHost } from '../../helpers/hosts.ts'
import { aRecord } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

let network: RegistryNetwork
let root: RegistryHost
let follower: RegistryHost
const hosts: Libp2p[] = []
const over = new Set<AbortController>()

beforeEach(async () => {
  network = new RegistryNetwork()
  root = await network.startRoot(4)
  follower = await network.startFollower(root, keyNumber(1))
  await pull(await connect(follower.host, root.host))
})

afterEach(async () => {
  for (const controller of over) controller.abort()
  await Promise.all(hosts.splice(0).map(async (host) => await host.stop()))
  await network[Symbol.asyncDispose]()
})

const pull = (connection: Connection, sections: LimitOverrides = {}, subscribe = false) =>
  sync(connection, follower.registry, {
    limits: limitsWith(sections),
    logger: silentLogger,
    subscribe,
    records: true,
    cursors: new SyncCursors()
  })

/** Serves sync with a frame now and then, for as long as it is let. */
async function trickle(key: SigningKey, frame: (at: number) => Uint8Array, pauseMs = 100) {
  const host = await startHost({}, { privateKey: key.toLibp2p() })
  hosts.push(host)
  let streams = 0
  await host.handle(syncId, async (stream) => {
    const frames = new FrameStream(stream, { maxFrame: 65_536, limits: follower.limits.stream })
    await frames.read()
    streams++
    await frames.write(SyncFrame.encode({ start: { status: 0, mode: 0, replicaAgeMs: 0, retryAfterMs: 0 } }))
    for (let at = 0; ; at++) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      await frames.write(frame(at))
    }
  })
  return { host, streams: () => streams }
}

const nothing = (): Uint8Array => SyncFrame.encode({ cursor: { store: new Uint8Array(16), change: 1 } })
const short: LimitOverrides = { sync: { patienceMs: 1_000, silenceMs: 1_000 } }

const nameOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it went on in order',
    (error: Error) => error.name
  )

attack('a pull is answered with a frame of nothing each moment', async () => {
  const { host } = await trickle(keyNumber(2), nothing)
  const startedAt = performance.now()
  expect(await nameOf(pull(await connect(follower.host, host), short))).toBe('DeadlineError')
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  return {
    happened: `the pull was given up after ${seconds} s, with 1 s of patience`,
    held: 'all waiting for a source is bounded'
  }
})

attack('or with news that its sender makes itself: its own record, over and over', async () => {
  const { networkId } = follower.registry
  const own = (seq: number): Uint8Array =>
    sealRecord({ ...aRecord, networkId, publicKey: keyNumber(2).publicKey, seq }, keyNumber(2)).bytes
  const { host } = await trickle(keyNumber(2), (at) => SyncFrame.encode({ records: [own(at + 1)] }))
  expect(await nameOf(pull(await connect(follower.host, host), short))).toBe('DeadlineError')
  return {
    happened: 'the pull was given up',
    held: 'only entries of the log buy time at 16 KiB a second, all else at 64 KiB and for 10 min at most'
  }
})

attack('a subscription that is caught up is kept open with frames of nothing', async () => {
  const { host } = await trickle(keyNumber(2), (at) => (at === 0 ? SyncFrame.encode({ caughtUp: true }) : nothing()))
  expect(await nameOf(pull(await connect(follower.host, host), short, true))).toBe('DeadlineError')
  return { happened: 'the subscription was given up', held: 'only what says something ends the silence' }
})

/** Follows one source and pulls from another, both of which trickle, while the root revokes a member and shows its head. */
async function hidden(pauseMs: number) {
  const [holder, source] = [
    await trickle(keyNumber(2), nothing, pauseMs),
    await trickle(keyNumber(3), nothing, pauseMs)
  ]
  await follower.host.getConnections(root.host.peerId)[0]?.close()
  const keeper = replicator(keyNumber(2).publicKey)
  keeper.start(new Supervisor())
  for (const { host } of [holder, source]) await connect(follower.host, host)
  await expect.poll(() => [holder.streams(), source.streams()], { timeout: ceilingMs }).toEqual([1, 1])
  await connect(follower.host, root.host)
  await expect.poll(() => [...follower.trust.members()].length, { timeout: ceilingMs }).toBe(3)
  await root.registry.root?.append([network.log.revoke(4)])
  return keeper
}

function replicator(holder: Uint8Array): Replicator {
  const clock = systemClock
  const keeper = new Replicator({
    target: follower.registry,
    trust: follower.trust,
    limits: follower.limits,
    clock,
    logger: silentLogger,
    config: {
      role: 'integrated',
      replication: {
        ...defaults.replication,
        queueLimit: 0,
        intervalMs: 100,
        backoffInitialMs: 100,
        backoffMaxMs: 1_000
      }
    },
    lag: new Staleness({ clock, graceMs: 60_000, answeringForMs: () => 0, onBehind: () => {} }),
    owner: {
      isServed: () => true,
      leaseHolder: () => holder,
      sourceFailed: () => {},
      sourceShowed: () => {},
      unanswered: () => {},
      caughtUp: () => {}
    }
  })
  const controller = new AbortController()
  controller.signal.addEventListener('abort', () => keeper.stop())
  over.add(controller)
  return keeper
}

attack(
  'the source that is followed and the one that is pulled from trickle while the root revokes a member',
  async () => {
    const keeper = await hidden(2_000)
    const { head } = root.registry.replica
    // What the heads do that others show.
    keeper.pull(root.key.publicKey)
    await expect.poll(() => follower.registry.replica.head.n, { timeout: ceilingMs }).toBe(head.n)
    expect(follower.registry.replica.isMember(keyNumber(4).publicKey)).toBe(false)
    return {
      happened: 'the revoke was there with the next head that was shown',
      held: 'a pull that is named goes beside those that run'
    }
  }
)

attack('the same, and nobody shows a head', async () => {
  await hidden(2_000)
  await expect
    .poll(() => follower.registry.replica.isMember(keyNumber(4).publicKey), { timeout: ceilingMs })
    .toBe(false)
  return {
    happened: 'the next periodic pull asked somebody else',
    held: 'a pull that runs does not hold up the next one'
  }
})

control('a source that serves in order is pulled from and followed to the end', async () => {
  const connection = await connect(follower.host, root.host)
  expect(await pull(connection, short)).toMatchObject({ caughtUp: true })
})

/** A registry that waits for no reader for long. */
const impatient = { sync: { patienceMs: 500, paceBytes: 4 * 1024 * 1024 } }

attack('a member reads the registry’s answer a little at a time', async () => {
  await using other = new RegistryNetwork()
  const slow = await other.startRoot(4_000, impatient)
  const reader = await other.startFollower(slow, keyNumber(1))
  const stream = await (await connect(reader.host, slow.host)).newStream(syncId)
  const { networkId } = slow.registry
  const request = SyncRequest.encode({ version: 1, networkId, hash: networkId, subscribe: true, records: true })
  stream.pause()
  stream.send(Uint8Array.of(request.length, ...request))
  await expect.poll(() => slow.host.services.sync.subscribers, { timeout: ceilingMs }).toBe(1)
  const sipping = setInterval(() => {
    if (stream.status !== 'open') return
    stream.resume()
    setTimeout(() => stream.status === 'open' && stream.pause(), 1)
  }, 500)
  const startedAt = performance.now()
  await expect.poll(() => slow.host.services.sync.subscribers, { timeout: ceilingMs }).toBe(0)
  clearInterval(sipping)
  stream.abort(new Error('the test is over'))
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  return { happened: `the reader was cut after ${seconds} s`, held: 'a reader takes 16 KiB a second on the average' }
})

control('a member that reads on is sent all of it', async () => {
  await using other = new RegistryNetwork()
  const quick = await other.startRoot(400, impatient)
  const reader = await other.startFollower(quick, keyNumber(1))
  const limits = limitsWith()
  const options = { limits, logger: silentLogger, subscribe: false, records: true, cursors: new SyncCursors() }
  expect(await sync(await connect(reader.host, quick.host), reader.registry, options)).toMatchObject({ caughtUp: true })
})
