import type { Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, expect } from 'vitest'
import { EphemeralEnds } from '../../../src/node/root/end-ephemeral.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { toHintMessage } from '../../../src/protocols/sync/hint-message.ts'
import { SyncCursors, sync, syncId } from '../../../src/protocols/sync/index.ts'
import { SyncFrame } from '../../../src/protocols/sync/pb/sync.ts'
import type { Hint } from '../../../src/registry/liveness/liveness.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect, startHost } from '../../helpers/hosts.ts'
import { aRecord } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

/** The hostile one is of the set of registries; ann holds her lease at the root. */
const [hostile, ann] = [keyNumber(3), keyNumber(4)]

let network: RegistryNetwork
let root: RegistryHost
let host: Libp2p | undefined

beforeEach(async () => {
  network = new RegistryNetwork()
  root = await network.startRoot(2)
  await network.admit(root, 3, 3, 'secondary')
  await network.admit(root, 4, 4)
  await root.registry.root?.append([
    { kind: 'registrySet', body: { publicKey: hostile.publicKey, role: 'secondary', removed: false } }
  ])
  root.registry.liveness.open(ann.publicKey, new Uint8Array(16))
})

afterEach(async () => {
  await host?.stop()
  await network[Symbol.asyncDispose]()
})

/** The root follows the hostile secondary, which sends these frames and nothing else. */
async function say(frames: readonly Partial<SyncFrame>[]): Promise<string> {
  network.log.clock.nowMs += 1_000
  const speaker = await startHost({}, { privateKey: hostile.toLibp2p() })
  host = speaker
  await speaker.handle(syncId, async (stream) => {
    const out = new FrameStream(stream, { maxFrame: 262_144, limits: root.limits.stream })
    await out.read()
    await out.write(SyncFrame.encode({ start: { status: 0, mode: 0, replicaAgeMs: 0, retryAfterMs: 0 } }))
    for (const frame of frames) await out.write(SyncFrame.encode(frame))
    await out.write(SyncFrame.encode({ caughtUp: true }))
    await out.close()
  })
  const connection = await connect(root.host, speaker)
  const signal = AbortSignal.timeout(ceilingMs)
  const options = { limits: root.limits, logger: silentLogger, records: true, cursors: new SyncCursors() }
  return await sync(connection, root.registry, { ...options, subscribe: true, signal }).then(
    () => 'taken',
    (error: Error) => error.constructor.name
  )
}

const hint = (of: Uint8Array, source: Uint8Array): Hint => ({
  seq: Number.MAX_SAFE_INTEGER,
  start: Number.MAX_SAFE_INTEGER,
  count: Number.MAX_SAFE_INTEGER,
  publicKey: of,
  source,
  heardMs: 0,
  state: 'left',
  sinceMs: 0,
  reason: 'so it is said',
  rttMs: undefined,
  connected: []
})

const stateOf = (publicKey: Uint8Array): string => root.registry.liveness.view(publicKey).state

attack('a secondary of the set says in every name that a member left whose lease the root holds', async () => {
  const names = [hostile.publicKey, root.key.publicKey, ann.publicKey]
  const answer = await say([{ hints: names.map((source) => toHintMessage(hint(ann.publicKey, source))) }])
  expect(stateOf(ann.publicKey)).toBe('online')
  expect(root.registry.replica.isMember(ann.publicKey)).toBe(true)
  return {
    happened: `3 words (${answer}): the root shows the member as ${stateOf(ann.publicKey)}`,
    held: 'who holds a lease goes by it, whatever a registry says'
  }
})

control('it is believed about itself', async () => {
  root.registry.liveness.notes.connected(hostile.publicKey, '/ip6/::1/tcp/1')
  await say([{ hints: [toHintMessage(hint(hostile.publicKey, hostile.publicKey))] }])
  expect(stateOf(hostile.publicKey)).toBe('left')
})

attack(
  'a secondary of the set sends records and revokes that others have not signed, as proofs of a conflict',
  async () => {
    const { networkId, replica, records, alarms } = root.registry
    const own = { ...aRecord, networkId, publicKey: ann.publicKey, seq: 7 }
    const honest = sealRecord(own, ann)
    await records.put(honest.bytes)
    // The same seq with another content, and the signature of the honest one.
    const torn = Uint8Array.from(honest.bytes)
    torn[torn.length - 1] = (torn.at(-1) ?? 0) ^ 1
    const { head } = replica
    const place = { networkId, n: head.n + 1, prevHash: head.hash, epoch: head.epoch, timeMs: Date.now() }
    const revoke = sealEntry({ ...place, kind: 'revoke', body: { publicKey: ann.publicKey, reason: 'no' } }, hostile)
    const fork = sealEntry(
      { ...place, n: head.n, kind: 'revoke', body: { publicKey: ann.publicKey, reason: 'no' } },
      hostile
    )
    const answers: string[] = []
    for (const frame of [{ records: [torn] }, { entries: [revoke.bytes] }, { entries: [fork.bytes] }]) {
      answers.push(await say([frame]))
      await host?.stop()
    }
    expect(records.read(ann.publicKey)?.seq).toBe(7)
    expect([replica.isMember(ann.publicKey), replica.isForked, replica.head.n]).toEqual([true, false, head.n])
    const raised = alarms.list().map(({ code }) => code)
    expect(raised.filter((code) => ['log_fork', 'seq_reused', 'duplicate_key'].includes(code))).toEqual([])
    return {
      happened: `a torn record, a revoke and a fork by its own key (${answers.join(', ')}): nothing kept, no alarm about others`,
      held: 'evidence is what the accused has signed'
    }
  }
)

/** An ephemeral member that holds its lease at the hostile secondary, as its record says; whether it answers the root, and what the root makes of that. */
async function ephemeralMember(isThere: boolean) {
  const bob = keyNumber(5)
  const { registry } = root
  const { networkId, admission, records, replica } = registry
  const { clock } = network.log
  const { grant, inviteKey } = await admission.invite({ role: 'integrated', ephemeralMs: 60_000 })
  const join = makeJoin({ networkId, key: bob, name: 'bob', role: 'integrated', timeMs: clock.now(), grant, inviteKey })
  await admission.join({ join })
  await records.put(
    sealRecord({ ...aRecord, networkId, publicKey: bob.publicKey, registryKey: hostile.publicKey, seq: 1 }, bob).bytes
  )
  let dials = 0
  const answers = async (): Promise<boolean> => {
    dials++
    return isThere
  }
  const ends = new EphemeralEnds({ registry, answers, logger: silentLogger })
  return {
    look: async () => await ends.look(),
    isMember: () => replica.isMember(bob.publicKey),
    state: () => stateOf(bob.publicKey),
    gone: { ...hint(bob.publicKey, hostile.publicKey), state: 'offline' as const, sinceMs: 86_400_000 },
    pass: (ms: number) => {
      clock.nowMs += ms
    },
    dials: () => dials
  }
}

attack('a secondary of the set says that an ephemeral member has been gone for a day, to have it let go', async () => {
  const member = await ephemeralMember(true)
  await say([{ hints: [toHintMessage(member.gone)] }])
  expect(member.state()).toBe('offline')
  await member.look()
  expect([member.isMember(), member.dials()]).toEqual([true, 0])
  member.pass(61_000)
  expect(member.state()).toBe('offline')
  await member.look()
  await member.look()
  expect([member.isMember(), member.dials()]).toEqual([true, 1])
  return {
    happened: 'shown as offline by the word of that secondary; it answered the root, and stays a member',
    held: 'the root signs nothing on the word of one registry: the time counts from when it is told, and the member is dialled first'
  }
})

control('an ephemeral member that is gone, and answers nobody, is let go after its time', async () => {
  const member = await ephemeralMember(false)
  await say([{ hints: [toHintMessage(member.gone)] }])
  await member.look()
  member.pass(61_000)
  expect([member.state(), member.isMember()]).toEqual(['offline', true])
  await member.look()
  expect(member.isMember()).toBe(false)
})
