import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Root } from '../../../../../src/registry/log/log-writer.ts'
import type { Replica } from '../../../../../src/registry/log/replica.ts'
import { sealCheckpoint } from '../../../../../src/registry/objects/checkpoint.ts'
import { openEntry, sealEntry } from '../../../../../src/registry/objects/entry.ts'
import {
  envelopesAfter,
  keyNumber,
  LogNetwork,
  refusalOf,
  sendDelta,
  sendSnapshot
} from '../../../../helpers/log-network.ts'

let network: LogNetwork
let root: Root
let source: Replica
let replica: Replica
/** All entries of the source, and what stands on them. */
let entries: Uint8Array[]
let checkpoint: Uint8Array | undefined

const refused =
  /^(LogMismatchError|InvalidEnvelopeError|InvalidPayloadError|WrongNetworkError|UnsupportedVersionError)$/
beforeEach(async () => {
  network = new LogNetwork()
  const store = await network.start()
  root = store.root
  source = store.replica
  replica = (await network.follower(source)).replica
  await root.append([
    network.grant(1, { uses: 3 }),
    ...[1, 2, 3, 4, 5].map((member) => network.admit(source.networkId, member, member > 3 ? { invite: 1 } : {}))
  ])
  await root.append([network.revoke(2), network.renew(source, 3)])
  entries = envelopesAfter(source, 0)
  checkpoint = source.checkpoint?.bytes
})

const untouched = (): void => {
  expect(replica.head).toMatchObject({ epoch: 0, n: 0 })
  expect(replica.checkpoint).toBeUndefined()
  expect(replica.state.memberCount).toBe(0)
  expect(replica.ledger.table.last()?.n).toBe(0)
}

describe('a delta', () => {
  it('with any byte changed is refused as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, change) => {
        const edited = entries.map((each) => Uint8Array.from(each))
        const entry = edited[which % edited.length] ?? new Uint8Array()
        const at = where % entry.length
        entry[at] = (entry[at] ?? 0) ^ change
        expect(await refusalOf(replica.apply(edited, checkpoint))).toMatch(refused)
        untouched()
      }),
      { numRuns: 60 }
    )
  })

  it.each([
    ['an entry dropped', (all: Uint8Array[]) => all.toSpliced(3, 1)],
    [
      'two entries in the wrong order',
      (all: Uint8Array[]) => [...all.slice(0, 2), ...all.slice(2, 4).toReversed(), ...all.slice(4)]
    ],
    ['an entry twice', (all: Uint8Array[]) => all.toSpliced(3, 0, ...all.slice(3, 4))],
    ['the first entry missing', (all: Uint8Array[]) => all.slice(1)],
    ['the last entry missing under the checkpoint', (all: Uint8Array[]) => all.slice(0, -1)]
  ])('with %s is refused as a whole', async (_, change) => {
    expect(await refusalOf(replica.apply(change(entries), checkpoint))).toBe('LogMismatchError')
    untouched()
  })

  it('with an entry of another network is refused', async () => {
    const other = new LogNetwork()
    other.logKey = network.logKey
    other.clock.nowMs += 1
    const foreign = await other.start()
    const theirs = envelopesAfter(foreign.replica, 0)
    expect(await refusalOf(replica.apply([...entries.slice(0, 1), ...theirs.slice(1)]))).toBe('WrongNetworkError')
    untouched()
  })

  it('with an entry of a key that is not the log key is refused', async () => {
    const last = openEntry(entries.at(-1) ?? new Uint8Array(), source.networkId)
    const forged = sealEntry(last.value, keyNumber(1))
    expect(await refusalOf(replica.apply([...entries.slice(0, -1), forged.bytes]))).toBe('LogMismatchError')
    untouched()
  })

  it.each<[string, number, number]>([
    ['breaks a rule', 2, 0],
    ['is of another epoch', 3, 1]
  ])('with an entry of the log key that %s is refused', async (_, member, epoch) => {
    const { head, networkId } = source
    const position = { networkId, n: head.n + 1, prevHash: head.hash, epoch, timeMs: 1 }
    const entry = sealEntry({ ...position, ...network.revoke(member) }, network.logKey)
    expect(await refusalOf(replica.apply([...entries, entry.bytes]))).toBe('LogMismatchError')
    untouched()
  })

  it('with a proof inside that is of another key is refused', async () => {
    const draft = network.renew(source, 3)
    if (draft.kind !== 'renew') return
    await root.append([{ kind: 'renew', body: { ...draft.body, publicKey: keyNumber(4).publicKey } }])
    expect(await refusalOf(sendDelta(source, replica))).toBe('InvalidEnvelopeError')
    untouched()
  })

  it.each([
    ['another state root', { stateRoot: new Uint8Array(32) }],
    ['another number of rows', { rows: 3 }],
    ['another number of bytes', { bytes: 3 }]
  ])('under a checkpoint with %s is refused', async (_, change) => {
    const held = source.checkpoint
    if (held === undefined) return
    const bad = sealCheckpoint({ ...held.value, ...change }, network.logKey)
    expect(await refusalOf(replica.apply(entries, bad.bytes))).toBe('LogMismatchError')
    untouched()
  })

  it('under a checkpoint of another key, or of an epoch that nobody opened, is refused', async () => {
    const held = source.checkpoint
    if (held === undefined) return
    const foreign = sealCheckpoint(held.value, keyNumber(7))
    expect(await refusalOf(replica.apply(entries, foreign.bytes))).toBe('LogMismatchError')
    const later = sealCheckpoint({ ...held.value, epoch: 1 }, network.logKey)
    expect(await refusalOf(replica.apply(entries, later.bytes))).toBe('LogMismatchError')
    untouched()
  })

  it('of more entries than one transaction should hold is refused before anything is verified', async () => {
    const many = Array.from({ length: 10_001 }, () => new Uint8Array())
    expect(await refusalOf(replica.apply(many))).toBe('LimitError')
    expect(await refusalOf(replica.stage(many))).toBe('LimitError')
  })
})

describe('what is held', () => {
  it('does not go back to an older checkpoint or an older snapshot', async () => {
    const old = source.checkpoint?.bytes
    const page = source.readLive(-1, 1e6, source.head.n).map(({ envelope }) => envelope)
    await root.append([network.revoke(1)])
    await sendDelta(source, replica)
    const { head } = replica
    const { timeMs } = replica
    expect(await replica.apply([], old)).toEqual({ applied: 0 })
    expect(await refusalOf(replica.stage(page, old))).toBe('LogMismatchError')
    expect(replica.head).toEqual(head)
    expect(replica.timeMs).toBe(timeMs)
    expect(replica.checkpoint?.bytes).toEqual(source.checkpoint?.bytes)
    expect(replica.isMember(keyNumber(1).publicKey)).toBe(false)
  })

  it('takes a checkpoint that only renews the time, and not an older one after it', async () => {
    await sendDelta(source, replica)
    const old = source.checkpoint?.bytes
    network.clock.nowMs += 60_000
    const fresh = await root.checkpoint()
    expect(await replica.apply([], fresh.bytes)).toEqual({ applied: 0 })
    expect(replica.timeMs).toBe(network.clock.nowMs)
    await replica.apply([], old)
    expect(replica.timeMs).toBe(network.clock.nowMs)
  })

  it('refuses a checkpoint above the head, which says nothing without its entries', async () => {
    expect(await refusalOf(replica.apply([], checkpoint))).toBe('LogMismatchError')
  })
})

const live = (): Uint8Array[] => source.readLive(-1, 1e9, source.head.n).map(({ envelope }) => envelope)

describe('a snapshot', () => {
  it('with any byte changed never becomes the replica', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, where, change) => {
        const edited = live().map((each) => Uint8Array.from(each))
        const entry = edited[which % edited.length] ?? new Uint8Array()
        const at = where % entry.length
        entry[at] = (entry[at] ?? 0) ^ change
        expect(await refusalOf(replica.stage(edited, checkpoint))).toMatch(refused)
        untouched()
      }),
      { numRuns: 40 }
    )
  })

  it.each([
    ['without one of its entries', () => live().toSpliced(3, 1)],
    ['with an entry that is not live any more', () => live().toSpliced(3, 1, ...envelopesAfter(source, 3).slice(0, 1))],
    ['with more entries than its checkpoint says', () => [...live(), ...live().slice(-1)]],
    ['that does not begin with the genesis', () => live().slice(1)],
    ['in another order', () => live().toReversed()]
  ])('%s never becomes the replica', async (_, pages) => {
    const result = await refusalOf(replica.stage(pages(), checkpoint))
    expect(result).toMatch(/taken|LogMismatchError/)
    untouched()
    await sendSnapshot(source, replica)
    expect(replica.state.root()).toEqual(source.state.root())
  })

  it('of the right size with the wrong state is dropped as a whole', async () => {
    // Member 4 in place of member 5: same number of rows, other rows.
    const held = source.checkpoint
    if (held === undefined) return
    const lie = sealCheckpoint({ ...held.value, stateRoot: new Uint8Array(32).fill(1) }, network.logKey)
    expect(await refusalOf(replica.stage(live(), lie.bytes))).toBe('LogMismatchError')
    expect(replica.staged()).toBeUndefined()
    untouched()
  })

  it('goes on after a restart where it broke off', async () => {
    const store = await network.follower(source)
    const pages = live()
    expect(await store.replica.stage(pages.slice(0, 3), checkpoint)).toMatchObject({ done: false, rows: 3 })
    const position = store.replica.staged()
    store.close()
    const again = await network.open(store.path)
    expect(again.replica.staged()).toEqual(position)
    expect(again.replica.head.n).toBe(0)
    const rest = source.readLive(position?.upTo ?? 0, 1e9, position?.n ?? 0).map(({ envelope }) => envelope)
    expect(await again.replica.stage(rest)).toMatchObject({ done: true })
    expect(again.replica.state.root()).toEqual(source.state.root())
    expect(again.replica.staged()).toBeUndefined()
  })

  it('begins anew with another checkpoint, and needs one to begin', async () => {
    expect(await refusalOf(replica.stage(live()))).toBe('LogMismatchError')
    await replica.stage(live().slice(0, 2), checkpoint)
    await root.append([network.revoke(5)])
    expect(await replica.stage(live().slice(0, 1), source.checkpoint?.bytes)).toMatchObject({ rows: 1, upTo: 0 })
  })

  it('that has a hole is given up', async () => {
    await replica.stage(live().toSpliced(3, 1), checkpoint)
    expect(replica.staged()).toMatchObject({ done: false })
    await replica.dropStaged()
    expect(replica.staged()).toBeUndefined()
  })

  it('is refused when it is larger than any network', async () => {
    const held = source.checkpoint
    if (held === undefined) return
    const huge = sealCheckpoint({ ...held.value, rows: 3_000_000 }, network.logKey)
    expect(await refusalOf(replica.stage(live(), huge.bytes))).toBe('LimitError')
  })

  it('is refused when the key of its epoch did not sign its checkpoint', async () => {
    const held = source.checkpoint
    if (held === undefined) return
    const foreign = sealCheckpoint(held.value, keyNumber(9))
    expect(await refusalOf(replica.stage(live(), foreign.bytes))).toBe('LogMismatchError')
  })
})
