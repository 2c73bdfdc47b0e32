import type { Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, expect } from 'vitest'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { toHintMessage } from '../../../src/protocols/sync/hint-message.ts'
import { SyncCursors, sync, syncId } from '../../../src/protocols/sync/index.ts'
import { SyncFrame } from '../../../src/protocols/sync/pb/sync.ts'
import type { Hint } from '../../../src/registry/liveness/liveness.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { keyNumber, type RegistryHost, RegistryNetwork } from '../../helpers/hosts/registries.ts'
import { connect, startHost } from '../../helpers/hosts.ts'
import { aRecord } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'

const [attacker, secondary, ann] = [keyNumber(2), keyNumber(3), keyNumber(4)]

let network: RegistryNetwork
let root: RegistryHost
let follower: RegistryHost
let host: Libp2p | undefined

beforeEach(async () => {
  network = new RegistryNetwork()
  root = await network.startRoot(2)
  await network.admit(root, 3, 3, 'secondary')
  await network.admit(root, 4, 4)
  for (const { publicKey } of [secondary, ann]) root.registry.liveness.open(publicKey, new Uint8Array(16))
  follower = await network.startFollower(root, keyNumber(1))
  // The root says how they are.
  const { over, done } = follow(await connect(follower.host, root.host), true)
  await expect.poll(() => [stateOf(secondary), stateOf(ann)]).toEqual(['online', 'online'])
  over.abort(new Error('it was told'))
  await done
})

afterEach(async () => {
  await host?.stop()
  await network[Symbol.asyncDispose]()
})

const stateOf = ({ publicKey }: SigningKey): string => follower.registry.liveness.view(publicKey).state

function follow(connection: Parameters<typeof sync>[0], subscribe: boolean) {
  const over = new AbortController()
  const options = { limits: follower.limits, logger: silentLogger, records: true, cursors: new SyncCursors() }
  const done = sync(connection, follower.registry, { ...options, subscribe, signal: over.signal }).then(
    ({ hints }) => hints,
    () => 0
  )
  return { over, done }
}

/** Serves nothing but these words, with the key of whoever says them. */
async function say(key: SigningKey, hints: Hint[]): Promise<void> {
  network.log.clock.nowMs += 1_000
  const speaker = await startHost({}, { privateKey: key.toLibp2p() })
  host = speaker
  await speaker.handle(syncId, async (stream) => {
    const frames = new FrameStream(stream, { maxFrame: 65_536, limits: follower.limits.stream })
    await frames.read()
    await frames.write(SyncFrame.encode({ start: { status: 0, mode: 0, replicaAgeMs: 0, retryAfterMs: 0 } }))
    await frames.write(SyncFrame.encode({ hints: hints.map(toHintMessage), caughtUp: true }))
    // Its end comes behind the words: who has read it has read those.
    await frames.close()
  })
  const connection = await connect(follower.host, speaker)
  await follow(connection, false).done
  await follow(connection, true).done
}

const words = (source: SigningKey): Hint[] => [
  hint(secondary, secondary, 'left'),
  hint(secondary, source, 'left'),
  hint(ann, source, 'offline')
]

const hint = (of: SigningKey, source: SigningKey, state: Hint['state'], seq = 1): Hint => ({
  seq,
  start: Number.MAX_SAFE_INTEGER,
  count: 1,
  publicKey: of.publicKey,
  source: source.publicKey,
  heardMs: 0,
  state,
  sinceMs: 0,
  reason: 'so it is said',
  rttMs: undefined,
  connected: []
})

const seen = (): string => `the secondary is shown as ${stateOf(secondary)}, the member as ${stateOf(ann)}`

attack('a member that is pulled from, or followed, says in the name of the root that others are gone', async () => {
  await say(attacker, words(root.key))
  expect([stateOf(secondary), stateOf(ann)]).toEqual(['online', 'online'])
  return { happened: `3 forged words, by pull and push: ${seen()}`, held: 'a member passes on nobody’s words' }
})

attack('it says so in its own name, and names itself as their registry', async () => {
  const { networkId } = follower.registry
  const own = { ...aRecord, networkId, publicKey: attacker.publicKey, registryKey: attacker.publicKey, seq: 1 }
  await follower.registry.records.put(sealRecord(own, attacker).bytes)
  await say(attacker, words(attacker))
  expect([stateOf(secondary), stateOf(ann)]).toEqual(['online', 'online'])
  return {
    happened: `3 words of its own: ${seen()}`,
    held: 'the registry that a member’s own record names speaks for it'
  }
})

control('the registry that a member itself names, and a registry of the network, are believed', async () => {
  await say(secondary, [hint(secondary, secondary, 'left'), hint(ann, root.key, 'offline')])
  expect([stateOf(secondary), stateOf(ann)]).toEqual(['left', 'offline'])
})

control('so is a member that another one names as its registry', async () => {
  const { networkId } = follower.registry
  const own = { ...aRecord, networkId, publicKey: ann.publicKey, registryKey: attacker.publicKey, seq: 1 }
  await follower.registry.records.put(sealRecord(own, ann).bytes)
  await say(attacker, [hint(ann, attacker, 'offline')])
  expect(stateOf(ann)).toBe('offline')
})
