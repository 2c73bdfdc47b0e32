import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SyncCursors, type SyncOptions, type SyncSummary, sync } from '../../../../src/protocols/sync/index.ts'
import type { EntryDraft } from '../../../../src/registry/log/log-writer.ts'
import { type NodeRecord, sealRecord } from '../../../../src/registry/objects/record.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../../helpers/hosts/registries.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { aRecord } from '../../../helpers/signed-objects.ts'

withoutSockets()

let network: RegistryNetwork

beforeEach(() => {
  network = new RegistryNetwork()
})

afterEach(() => network[Symbol.asyncDispose]())

const optionsOf = (host: RegistryHost, change: Partial<SyncOptions> = {}): SyncOptions => ({
  limits: host.limits,
  logger: silentLogger,
  subscribe: false,
  records: true,
  cursors: new SyncCursors(),
  ...change
})

const recordOf = ({ registry }: RegistryHost, member: number, seq: number, change: Partial<NodeRecord> = {}) => {
  const key = keyNumber(member)
  const { networkId } = registry
  return sealRecord({ ...aRecord, networkId, publicKey: key.publicKey, seq, ...change }, key).bytes
}

const put = async (host: RegistryHost, member: number, seq: number, change: Partial<NodeRecord> = {}) =>
  await host.registry.records.put(recordOf(host, member, seq, change))

const pull = async (from: RegistryHost, to: RegistryHost, change: Partial<SyncOptions> = {}): Promise<SyncSummary> =>
  await sync(await connect(to.host, from.host), to.registry, optionsOf(to, change))

/** A subscription that has caught up. Aborted by the test's end. */
async function subscribe(from: RegistryHost, to: RegistryHost, change: Partial<SyncOptions> = {}) {
  const controller = new AbortController()
  const caughtUp = Promise.withResolvers<SyncSummary>()
  const ended = pull(from, to, {
    subscribe: true,
    signal: controller.signal,
    onCaughtUp: caughtUp.resolve,
    ...change
  })
  ended.catch(caughtUp.reject)
  await caughtUp.promise
  return { ended, stop: () => controller.abort(new Error('the test is over')) }
}

const until = (what: () => unknown) => expect.poll(what, { interval: 5, timeout: ceilingMs })

const revoke = (member: number): EntryDraft => {
  return { kind: 'revoke', body: { publicKey: keyNumber(member).publicKey, reason: 'gone' } }
}

const sameLog = (a: RegistryHost, b: RegistryHost) => {
  expect(b.registry.replica.head).toEqual(a.registry.replica.head)
  expect(b.registry.replica.checkpoint?.bytes).toEqual(a.registry.replica.checkpoint?.bytes)
  expect(b.registry.replica.state.root()).toEqual(a.registry.replica.state.root())
}

describe('catching up', () => {
  test('a replica that knows the genesis alone gets the whole log and the records, and as a subscriber the hints', async () => {
    const root = await network.startRoot(40)
    for (let member = 1; member <= 40; member++) await put(root, member, member)
    root.registry.liveness.open(keyNumber(7).publicKey, new Uint8Array(16))
    const follower = await network.startFollower(root, keyNumber(1))
    const summary = await pull(root, follower)
    sameLog(root, follower)
    expect(summary).toMatchObject({ mode: 'delta', entries: root.registry.replica.head.n, caughtUp: true })
    // Its own record too: it may have lost its seq.
    expect(follower.registry.records.count()).toBe(40)
    expect(summary).toMatchObject({ records: 40, hints: 0 })
    const subscription = await subscribe(root, follower)
    await until(() => follower.registry.liveness.view(keyNumber(7).publicKey).state).toBe('online')
    subscription.stop()
    await expect(subscription.ended).rejects.toThrow('the test is over')
  })

  test('a pull that is far behind compares digests and ends at the same records', async () => {
    const root = await network.startRoot(3)
    const follower = await network.startFollower(root, keyNumber(1))
    await put(root, 2, 1)
    await pull(root, follower)
    for (let seq = 2; seq <= 140; seq++) await put(root, 2, seq)
    await put(root, 3, 1)
    expect(await pull(root, follower)).toMatchObject({ records: 2, caughtUp: true })
    expect(follower.registry.records.digest()).toEqual(root.registry.records.digest())
  })

  test('a second pull brings only what is new, by position and cursor', async () => {
    const root = await network.startRoot(3)
    await put(root, 2, 1)
    const follower = await network.startFollower(root, keyNumber(1))
    const cursors = new SyncCursors()
    await pull(root, follower, { cursors })
    expect(await pull(root, follower, { cursors })).toMatchObject({ entries: 0, records: 0 })
    await network.admit(root, 4, 5)
    await put(root, 4, 1)
    expect(await pull(root, follower, { cursors })).toMatchObject({ entries: 2, records: 1 })
    sameLog(root, follower)
  })

  test('a cursor of another store, or from a future that was lost, leads to the records that differ', async () => {
    const root = await network.startRoot(20)
    const follower = await network.startFollower(root, keyNumber(1))
    await pull(root, follower)
    for (let member = 2; member <= 20; member++) {
      await put(root, member, 2)
      if (member !== 9) await put(follower, member, 2)
    }
    const server = root.host.peerId.toString()
    for (const cursor of [
      { store: new Uint8Array(randomBytes(16)), change: 3 },
      { store: root.registry.storeId, change: 1_000_000 }
    ]) {
      const cursors = new SyncCursors()
      cursors.set(server, cursor)
      await pull(root, follower, { cursors })
      expect(follower.registry.records.get(keyNumber(9).publicKey)?.seq).toBe(2)
      expect(cursors.get(server)).toEqual({ store: root.registry.storeId, change: root.registry.records.lastChange() })
    }
  })

  test('without records it is the log alone', async () => {
    const root = await network.startRoot(3)
    await put(root, 2, 1)
    const follower = await network.startFollower(root, keyNumber(1))
    expect(await pull(root, follower, { records: false })).toMatchObject({ records: 0, hints: 0 })
    sameLog(root, follower)
    expect(follower.registry.records.count()).toBe(0)
  })

  test('from a replica that is behind nothing is taken back, and it learns nothing wrong', async () => {
    const root = await network.startRoot(3)
    const behind = await network.startFollower(root, keyNumber(1))
    await pull(root, behind)
    await network.admit(root, 4, 6)
    const ahead = await network.startFollower(root, keyNumber(2))
    await pull(root, ahead)
    expect(await pull(behind, ahead)).toMatchObject({ entries: 0, caughtUp: true })
    sameLog(root, ahead)
  })
})

describe('snapshot', () => {
  const days = 24 * 3_600_000

  /** A root whose log begins with entries that were superseded long ago and are gone. */
  async function compactedRoot(members: number): Promise<RegistryHost> {
    const root = await network.startRoot()
    for (let from = 1; from <= members; from += 500) await network.admit(root, from, Math.min(from + 499, members))
    network.log.clock.nowMs += 60 * days
    const { replica } = root.registry
    await root.registry.root?.append(Array.from({ length: 100 }, (_, index) => revoke(index + 2)))
    network.log.clock.nowMs += 30 * days
    await network.admit(root, members + 1, members + 30)
    expect(await replica.compact()).toBeGreaterThan(0)
    return root
  }

  test('leads a new replica past what was compacted', async () => {
    const root = await compactedRoot(150)
    const follower = await network.startFollower(root, keyNumber(1))
    expect(await pull(root, follower)).toMatchObject({ mode: 'snapshot', caughtUp: true })
    sameLog(root, follower)
    await network.admit(root, 1_000, 1_001)
    expect(await pull(root, follower)).toMatchObject({ mode: 'delta', entries: 2 })
    sameLog(root, follower)
  })

  test('one that broke off goes on where it was, also when the log has grown meanwhile', async () => {
    const root = await compactedRoot(2_000)
    const follower = await network.startFollower(root, keyNumber(1))
    const controller = new AbortController()
    const { replica } = follower.registry
    const stage = replica.stage.bind(replica)
    let frames = 0
    replica.stage = async (...page) => {
      const position = await stage(...page)
      if (++frames === 3) controller.abort(new Error('the connection is gone'))
      return position
    }
    await expect(pull(root, follower, { signal: controller.signal })).rejects.toThrow('the connection is gone')
    const staged = replica.staged()
    expect(staged?.upTo).toBeGreaterThan(100)
    expect(replica.head.n).toBe(0)
    await network.admit(root, 5_000, 5_010)
    replica.stage = stage
    const summary = await pull(root, follower)
    sameLog(root, follower)
    expect(summary.entries).toBeLessThan(root.registry.replica.state.rows - (staged?.rows ?? 0) + 30)
  })
})

describe('subscription', () => {
  test('is pushed entries, records and hints as they happen', async () => {
    const root = await network.startRoot(3)
    const follower = await network.startFollower(root, keyNumber(1))
    const subscription = await subscribe(root, follower)
    await network.admit(root, 4, 4)
    await until(() => follower.registry.replica.head.n).toBe(root.registry.replica.head.n)
    await put(root, 4, 1)
    await until(() => follower.registry.records.get(keyNumber(4).publicKey)?.seq).toBe(1)
    root.registry.liveness.open(keyNumber(4).publicKey, new Uint8Array(16))
    await until(() => follower.registry.liveness.view(keyNumber(4).publicKey).state).toBe('online')
    sameLog(root, follower)
    subscription.stop()
    await expect(subscription.ended).rejects.toThrow('the test is over')
    await until(() => root.host.services.sync.subscribers).toBe(0)
  })

  test('only so many plain members are pushed records, registries always, and all are pushed the log', async () => {
    const root = await network.startRoot(2, { sync: { recordSubscribers: 1 } })
    await network.admit(root, 3, 3, 'secondary')
    const first = await network.startFollower(root, keyNumber(1))
    const second = await network.startFollower(root, keyNumber(2))
    const registry = await network.startFollower(root, keyNumber(3), {}, 'secondary')
    for (const each of [first, second, registry]) await subscribe(root, each)
    expect(root.host.services.sync).toMatchObject({ subscribers: 3, recordSubscribers: 1 })
    await put(root, 3, 1)
    await put(root, 2, 1)
    await until(() => first.registry.records.count()).toBe(2)
    await until(() => registry.registry.records.count()).toBe(2)
    await network.admit(root, 4, 4)
    await until(() => second.registry.replica.head.n).toBe(root.registry.replica.head.n)
    expect(second.registry.records.count()).toBe(0)
  })

  test('a record that only has a higher seq goes to registries, not to plain members', async () => {
    const root = await network.startRoot(2)
    await network.admit(root, 3, 3, 'secondary')
    const plain = await network.startFollower(root, keyNumber(1))
    const registry = await network.startFollower(root, keyNumber(3), {}, 'secondary')
    for (const each of [plain, registry]) await subscribe(root, each)
    const { publicKey } = keyNumber(2)
    const seqAt = (host: RegistryHost) => host.registry.records.get(publicKey)?.seq
    await put(root, 2, 1)
    await until(() => [seqAt(plain), seqAt(registry)]).toEqual([1, 1])
    await put(root, 2, 2, { issuedMs: aRecord.issuedMs + 1_000 })
    await until(() => seqAt(registry)).toBe(2)
    await network.admit(root, 4, 4)
    await until(() => plain.registry.replica.head.n).toBe(root.registry.replica.head.n)
    expect(seqAt(plain)).toBe(1)
    await put(root, 2, 3, { tags: ['moved'] })
    await until(() => [seqAt(plain), seqAt(registry)]).toEqual([3, 3])
  })

  test('ends with an error when the registry goes away', async () => {
    const root = await network.startRoot(1)
    const follower = await network.startFollower(root, keyNumber(1))
    const { ended } = await subscribe(root, follower)
    await network.stop(root)
    await expect(ended).rejects.toThrow(expect.objectContaining({ name: expect.stringMatching(/Error$/) }))
  })

  test('ends when nothing comes for too long', async () => {
    const root = await network.startRoot(1)
    const follower = await network.startFollower(root, keyNumber(1), { sync: { silenceMs: 200 } })
    const { ended } = await subscribe(root, follower)
    await expect(ended).rejects.toThrow(expect.objectContaining({ name: 'DeadlineError' }))
  })
})
