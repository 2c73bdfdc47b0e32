import { beforeEach, expect, test } from 'vitest'
import type { SigningKey } from '../../../../../src/identity/keys.ts'
import type { Root } from '../../../../../src/registry/log/log-writer.ts'
import type { EntryContent } from '../../../../../src/registry/objects/entry.ts'
import { sealEntry } from '../../../../../src/registry/objects/entry.ts'
import { UnavailableError } from '../../../../../src/runtime/errors.ts'
import { keyNumber, LogNetwork, type OpenStore, refusalOf } from '../../../../helpers/log-network.ts'

let network: LogNetwork
let store: OpenStore & { root: Root }

beforeEach(async () => {
  network = new LogNetwork()
  store = await network.start()
  await store.root.append([network.admit(store.replica.networkId, 1)])
})

/** An entry for the place behind a head. */
const signed = (content: EntryContent, key: SigningKey, head = store.replica.head): Uint8Array => {
  const { networkId } = store.replica
  const place = { networkId, n: head.n + 1, prevHash: head.hash, epoch: head.epoch, timeMs: network.clock.now() }
  return sealEntry({ ...place, ...content }, key).bytes
}

const revoke: EntryContent = { kind: 'revoke', body: { publicKey: keyNumber(1).publicKey, reason: 'lost', name: 'm1' } }

test('what was signed elsewhere for the next place is entered there, under a checkpoint of this root', async () => {
  const { replica, root } = store
  const { n } = replica.head
  await root.enter(signed(revoke, network.logKey))
  expect(replica.head.n).toBe(n + 1)
  expect(replica.checkpoint?.value.n).toBe(n + 1)
  expect(replica.state.isRevoked(keyNumber(1).publicKey)).toBe(true)
})

test('nothing is changed where the log went on meanwhile: what was signed is for another place', async () => {
  const { replica, root } = store
  const late = signed(revoke, network.logKey)
  await root.append([network.admit(replica.networkId, 2)])
  const { head } = replica
  await expect(root.enter(late)).rejects.toThrow(UnavailableError)
  await expect(root.enter(late)).rejects.toThrow('the log went on meanwhile')
  const other = signed(revoke, network.logKey, { ...head, hash: new Uint8Array(32) })
  await expect(root.enter(other)).rejects.toThrow(UnavailableError)
  expect(replica.head).toEqual(head)
})

test.each<[string, () => Uint8Array, string]>([
  ['by another key', () => signed(revoke, keyNumber(7)), 'LogMismatchError'],
  [
    'against a rule',
    () => signed({ kind: 'revoke', body: { publicKey: keyNumber(1).publicKey, reason: '' } }, network.logKey),
    'LogMismatchError'
  ],
  ['of no form', () => new Uint8Array(100), 'InvalidEnvelopeError']
])('what is signed %s is refused, and leaves the log as it is', async (_what, made, name) => {
  const { replica, root } = store
  const { head } = replica
  expect(await refusalOf(root.enter(made()))).toBe(name)
  expect(replica.head).toEqual(head)
})

test('a root behind a fence enters nothing but who signs the log', async () => {
  const { replica, root } = store
  root.fence('others may hold more of the log')
  expect(await refusalOf(root.enter(signed(revoke, network.logKey)))).toBe('UnavailableError')
  root.release()
  await root.enter(signed(revoke, network.logKey))
  expect(replica.state.isRevoked(keyNumber(1).publicKey)).toBe(true)
})

test('a place that is kept free stays so until what was signed for it is entered', async () => {
  const { replica, root } = store
  const enterBeside = async (enter: (entry: Uint8Array) => Promise<void>): Promise<string> => {
    root.fence('an entry is being signed')
    const entering = refusalOf(enter(signed(revoke, network.logKey)))
    await Promise.allSettled([root.append([network.admit(replica.networkId, 3)])])
    return await entering
  }
  // A control: released before, somebody else is faster.
  const early = async (entry: Uint8Array): Promise<void> => {
    root.release()
    await root.enter(entry)
  }
  expect(await enterBeside(early)).toBe('UnavailableError')
  expect(await enterBeside((entry) => root.enter(entry, () => root.release()))).toBe('taken')
  expect(replica.state.isRevoked(keyNumber(1).publicKey)).toBe(true)
})
