import { expect, test } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { PastStates } from '../../../../src/registry/history/past-states.ts'
import type { NetworkState } from '../../../../src/registry/log/state/network-state.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { LimitError, NotFoundError } from '../../../../src/runtime/errors.ts'
import { day, RealNetwork } from '../../../helpers/real-network.ts'

const rootOf = (state: NetworkState): string => Buffer.from(state.root()).toString('hex')

/** The state root at each entry, as it was when that entry came. */
const follow = ({ replica }: Registry): Map<number, string> => {
  const roots = new Map<number, string>()
  const note = (): void => void roots.set(replica.head.n, rootOf(replica.state))
  note()
  replica.events.addEventListener('entries', note)
  return roots
}

/** All kinds of changes of members: each entry takes the place of others. */
const changes = async (network: RealNetwork): Promise<void> => {
  const { admission } = network.root
  const [hal, bob, zoe] = [await network.admit('hal'), await network.admit('bob'), await network.admit('zoe')]
  await admission.members.change(hal.publicKey, { name: 'hal-2', groups: ['web'] })
  await admission.revoke(bob.publicKey, 'stolen')
  await admission.members.end(zoe.publicKey, 'sold')
  const open = await network.invite({ uses: 3 })
  const join = async (name: string, key = SigningKey.generate()): Promise<SigningKey> => {
    await network.root.admission.join(network.wish({ key, name, invite: open }))
    return key
  }
  const one = await join('one')
  await admission.members.end(one.publicKey, 'over')
  await join('two')
  await admission.changePolicy({ admission: 'open' })
}

test('the state at each earlier entry is the one that the log led to then, also after a compaction', async () => {
  await using network = await RealNetwork.create()
  const { root, clock } = network
  const roots = follow(root)
  await changes(network)
  const first = Math.min(...roots.keys())
  const last = root.replica.head.n
  expect(last - first).toBeGreaterThan(12)
  for (const [n, was] of roots) expect(await root.past.read(n, rootOf), `entry ${n}`).toBe(was)
  const members = await root.past.read(first + 4, (state) => [...state.members()].map(({ name }) => name))
  expect(members).toContain('hal')

  const madeAt = root.genesis.value.createdMs
  expect(root.past.positionAt(clock.now())).toBe(last)
  expect(() => root.past.positionAt(madeAt - 1)).toThrow(NotFoundError)

  clock.advance(20 * day)
  for (let member = 0; member < 30; member++) await network.admit(`later-${member}`)
  expect(root.past.positionAt(clock.now() - day)).toBe(last)
  await root.replica.compact()
  const { floor } = root.past
  expect(floor).toBeGreaterThan(first)
  await expect(root.past.read(1, rootOf)).rejects.toThrow(
    /is not held here any more.*the past begins with entry \d+ of 20/
  )
  for (const [n, was] of roots) if (n > floor) expect(await root.past.read(n, rootOf), `entry ${n}`).toBe(was)
  await expect(root.past.read(root.replica.head.n + 1, rootOf)).rejects.toThrow('ends at entry')
})

test('a past that is too large is refused, and takes nobody else with it', async () => {
  await using network = await RealNetwork.create()
  await changes(network)
  const { head, ledger } = network.root.replica
  const past = new PastStates(ledger, 3)
  const both = [past.read(head.n - 1, rootOf), past.read(head.n, rootOf)]
  await expect(both[0]).rejects.toThrow(LimitError)
  expect(await both[1]).toBe(rootOf(network.root.replica.state))
})

test('a reader who goes waits for nothing, and the next one has its turn', async () => {
  await using network = await RealNetwork.create()
  await changes(network)
  const { head, ledger } = network.root.replica
  const past = new PastStates(ledger)
  const [first, waiting] = [Promise.withResolvers<string>(), new AbortController()]
  const taken = past.read(head.n, () => first.promise)
  const gone = past.read(head.n - 1, () => expect.unreachable(), waiting.signal)
  waiting.abort(new Error('gone'))
  await expect(gone).rejects.toThrow('gone')
  first.resolve('taken')
  expect(await taken).toBe('taken')
  expect(await past.read(head.n - 1, (_, { n }) => n, new AbortController().signal)).toBe(head.n - 1)
})
