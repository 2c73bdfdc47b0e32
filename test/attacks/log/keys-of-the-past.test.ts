import { expect } from 'vitest'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { type EntryDraft, type Root, sealAuthority, sealDelegation } from '../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../src/registry/log/replica.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { keyNumber, LogNetwork, refusalOf, sendDelta, sendSnapshot } from '../../helpers/log-network.ts'
import { attack, control } from '../attack.ts'

const key = (number: number): Uint8Array => keyNumber(number).publicKey
const members = [1, 2, 3]
/** Never a member of the live history. */
const evil = 66

/** A network with members, whose root has let in one more by an invite and given another. */
class History {
  readonly network = new LogNetwork()
  authority: SigningKey = this.network.authority
  /** Log keys of the past, with their epochs. */
  readonly thieves: { epoch: number; key: SigningKey }[] = []
  readonly formerAuthorities: SigningKey[] = []
  logKey = this.network.logKey
  replica!: Replica
  root!: Root

  static async create(): Promise<History> {
    const history = new History()
    const { replica, root } = await history.network.start()
    Object.assign(history, { replica, root })
    const { networkId } = replica
    await root.append(members.map((member) => history.network.admit(networkId, member)))
    await root.append([history.network.grant(1, { uses: 3 }), history.network.admit(networkId, 4, { invite: 1 })])
    return history
  }

  /** A new log key, from `forkN` on. */
  async epoch(forkN = this.replica.head.n): Promise<void> {
    const { replica, network } = this
    const logKey = keyNumber(2000 + replica.head.epoch)
    await replica.apply([sealDelegation(replica, this.authority, logKey.publicKey, forkN).bytes])
    this.thieves.push({ epoch: replica.head.epoch - 1, key: this.logKey })
    this.logKey = logKey
    this.root = network.rootOf(replica, logKey)
    await this.root.checkpoint()
  }

  async rotateAuthority(): Promise<void> {
    const { nextAuthority } = this.network
    await this.replica.apply([sealAuthority(this.replica, nextAuthority, new Uint8Array(32)).bytes])
    this.formerAuthorities.push(this.authority)
    this.authority = nextAuthority
    await this.root.checkpoint()
  }

  async follower(): Promise<Replica> {
    return (await this.network.follower(this.replica)).replica
  }

  async grow(...bodies: EntryDraft[]): Promise<void> {
    await this.root.append(bodies)
  }
}

/** What may have come of a network that lost a log key, or gave one away. */
const histories: Record<string, (history: History) => Promise<void>> = {
  'recovered twice': async (history) => {
    await history.epoch()
    await history.grow(history.network.publisher(2))
    await history.epoch()
  },
  'recovered a second time from below the first': async (history) => {
    const forkN = history.replica.head.n
    await history.grow(history.network.registrySet(2))
    await history.epoch()
    await history.grow(history.network.publisher(1))
    await history.epoch(forkN)
  },
  'promoted, then recovered from below an admission by invite': async (history) => {
    await history.epoch()
    const forkN = history.replica.head.n
    await history.grow(history.network.admit(history.replica.networkId, 5, { invite: 1 }))
    await history.epoch(forkN)
    await history.grow(history.network.admit(history.replica.networkId, 5, { invite: 1 }))
  },
  'recovered, then given another authority, then recovered again': async (history) => {
    await history.epoch()
    await history.rotateAuthority()
    await history.epoch()
  }
}

const draftsOf = ({ network, replica }: History): EntryDraft[] => [
  network.admit(replica.networkId, evil),
  network.admit(replica.networkId, evil, { invite: 1 }),
  network.renew(replica, 1),
  network.revoke(1),
  { kind: 'revoke', body: { publicKey: network.rootKey.publicKey, reason: 'no' } },
  network.rotate(replica.networkId, 1, evil),
  network.registrySet(3),
  network.registrySet(2, true),
  network.publisher(3),
  network.publish('x', 1),
  network.grant(7, { uses: 100 }),
  network.grantEnd(1),
  network.policy({ admission: 'open' }),
  { kind: 'change', body: { publicKey: key(1), name: 'other', role: 'integrated', groups: [] } },
  { kind: 'end', body: { publicKey: key(1), reason: 'no' } }
]

/** Everything that an entry could have changed. */
const standing = ({ state, head, isForked }: Replica): unknown => [
  head,
  isForked,
  Buffer.from(state.root()).toString('hex'),
  [...state.members()].map(({ name, publicKey }) => [name, state.isRevoked(publicKey)]),
  state.hasUnenteredRevokes
]

interface Lie {
  readonly bytes: Uint8Array
  readonly checkpoint: Uint8Array
}

/** Entries that a key of the past has just signed, each with a checkpoint over it. */
function* forged(history: History, replica: Replica): Generator<Lie> {
  const { networkId, head } = replica
  const timeMs = history.network.clock.now()
  for (const authority of history.formerAuthorities) {
    for (const forkN of new Set([1, head.n - 2, head.n - 1, head.n])) {
      const { bytes } = sealDelegation(replica, authority, key(evil), forkN)
      const told = { networkId, epoch: head.epoch + 1, n: forkN + 1, headHash: networkId, stateRoot: networkId }
      yield { bytes, checkpoint: sealCheckpoint({ ...told, rows: 3, bytes: 999, timeMs }, keyNumber(evil)).bytes }
    }
  }
  for (const thief of history.thieves) {
    const fork = replica.forkPointAfter(thief.epoch) ?? 0
    const places = new Set([fork + 1, head.n, head.n + 1])
    for (const epoch of [thief.epoch, head.epoch]) {
      for (const n of places) {
        const prevHash = replica.linkHash(n - 1) ?? networkId
        for (const body of draftsOf(history)) {
          const entry = sealEntry({ networkId, n, prevHash, epoch, timeMs, ...body }, thief.key)
          const told = { networkId, epoch, n, headHash: entry.hash, stateRoot: networkId, rows: 3, bytes: 999, timeMs }
          yield { bytes: entry.bytes, checkpoint: sealCheckpoint(told, thief.key).bytes }
        }
      }
    }
  }
}

/** Each way in which a source can show them. */
const ways = (replica: Replica, { bytes, checkpoint }: Lie): (() => Promise<unknown>)[] => {
  const live = replica.readLive(-1, 1, replica.head.n).map(({ envelope }) => envelope)
  const from = 'thief'
  return [
    () => replica.apply([bytes]),
    () => replica.apply([bytes], checkpoint),
    () => replica.apply([], checkpoint),
    () => replica.observe(checkpoint),
    () => replica.authorityRevocations.enforce(bytes),
    () => replica.stage([...live, bytes], checkpoint, { delegations: replica.delegations(), from }),
    () => replica.stage([...live, bytes], checkpoint, { delegations: [...replica.delegations(), bytes], from })
  ]
}

attack(
  'holders of every log key of the past show all that they can sign, in networks with several epochs',
  async () => {
    let tries = 0
    const answers = new Set<string>()
    for (const [name, make] of Object.entries(histories)) {
      const history = await History.create()
      await make(history)
      const [byDelta, bySnapshot] = [await history.follower(), await history.follower()]
      await sendDelta(history.replica, byDelta)
      await sendSnapshot(history.replica, bySnapshot)
      for (const replica of [byDelta, bySnapshot]) {
        const before = standing(replica)
        expect([name, before]).toEqual([name, standing(history.replica)])
        for (const lie of forged(history, replica)) {
          for (const way of ways(replica, lie)) {
            answers.add(await refusalOf(way()))
            tries++
          }
        }
        expect([name, standing(replica), replica.staged()]).toEqual([name, before, undefined])
      }
      await history.grow(history.network.admit(history.replica.networkId, 9))
      for (const replica of [byDelta, bySnapshot]) await sendDelta(history.replica, replica)
      expect(standing(bySnapshot)).toEqual(standing(byDelta))
    }
    return {
      happened: `${tries} tries (${[...answers].join(', ')}): head, members, revokes and state root as before, no fork was seen, nothing is staged, and the log goes on`,
      held: 'what a key of an older epoch signs counts only below the fork point of its epoch'
    }
  }
)

control('the key of today is followed with the same entries', async () => {
  const history = await History.create()
  await history.epoch()
  const replica = await history.follower()
  await sendDelta(history.replica, replica)
  const { n } = replica.head
  await history.grow(history.network.revoke(1), history.network.publisher(3))
  await sendDelta(history.replica, replica)
  expect([replica.head.n, replica.state.isRevoked(key(1))]).toEqual([n + 2, true])
})
