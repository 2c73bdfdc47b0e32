import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openCheckpoint } from '../../../src/registry/checkpoint.ts'
import { type LogEntry, openEntry, sealEntry } from '../../../src/registry/entry.ts'
import type { Signed } from '../../../src/registry/envelope.ts'
import { openGenesis, sealGenesis } from '../../../src/registry/genesis.ts'
import { sha256 } from '../../../src/registry/hash.ts'
import type { SigningKey } from '../../../src/registry/keys.ts'
import type { EntryDraft } from '../../../src/registry/root.ts'
import { openProofs } from '../../../src/registry/state/proofs.ts'
import { readStoredEntry } from '../../../src/registry/state/stored-entry.ts'
import { NetworkState } from '../../../src/registry/state.ts'
import { keyNumber, LogNetwork } from '../../helpers/log-network.ts'

const authority = keyNumber(1001)
const nextAuthority = keyNumber(1002)
const logKey = keyNumber(1004)
const genesis = sealGenesis(
  {
    domain: 'example.org',
    name: 'Example',
    authorityKey: authority.publicKey,
    nextAuthorityDigest: sha256(nextAuthority.publicKey),
    logKey: logKey.publicKey,
    createdMs: 1,
    policy: { admission: 'invite', membershipMs: 90 * 24 * 3_600_000, documentBytes: 1000 }
  },
  authority
)
const networkId = genesis.hash
const key = (member: number): Uint8Array => keyNumber(member).publicKey

let network: LogNetwork
let state: NetworkState
let entries: Map<number, Signed<LogEntry>>

const newState = (enforced?: Set<string>): NetworkState =>
  new NetworkState(
    genesis,
    (n) => {
      const entry = entries.get(n)
      if (entry === undefined) throw new Error(`no entry ${n}`)
      return entry
    },
    enforced
  )

const next = (content: object, signer: SigningKey = logKey, changes: Partial<LogEntry> = {}): Signed<LogEntry> => {
  const { n, hash, epoch } = state.head
  const position = { networkId, n: n + 1, prevHash: hash, epoch, timeMs: network.clock.now() }
  return sealEntry({ ...position, ...content, ...changes } as LogEntry, signer)
}

function take(content: object, signer?: SigningKey, changes?: Partial<LogEntry>): number[] {
  const entry = next(content, signer, changes)
  state.check(entry, openProofs(entry.value))
  entries.set(entry.value.n, entry)
  return state.apply(entry)
}

const refusal = (content: object, signer?: SigningKey, changes?: Partial<LogEntry>): string => {
  const before = { head: state.head, root: state.root() }
  try {
    const entry = next(content, signer, changes)
    state.check(entry, openProofs(entry.value))
    return 'taken'
  } catch (error) {
    expect({ head: state.head, root: state.root() }).toEqual(before)
    return (error as Error).name
  }
}

const admit = (member: number, fields: { name?: string; invite?: boolean } = {}): EntryDraft =>
  network.admit(networkId, member, fields)

beforeEach(() => {
  network = new LogNetwork()
  entries = new Map()
  state = newState()
})

describe('admissions', () => {
  it('give a key its name, role and end', () => {
    take(admit(1, { name: 'web', invite: true }))
    expect(state.member(key(1))).toMatchObject({ name: 'web', role: 'integrated' })
    expect(state.memberByName('web')?.publicKey).toEqual(key(1))
    expect(state.memberCount).toBe(1)
    expect(state.rows).toBe(2)
  })

  it('take no name that another has', () => {
    take(admit(1, { name: 'web' }))
    expect(refusal(admit(2, { name: 'web' }))).toBe('NameTakenError')
  })

  it('of a member again replace the first one, with another name', () => {
    take(admit(1, { name: 'web' }))
    take(network.renew(fakeReplica(), 1))
    expect(take(admit(1, { name: 'mail' }))).toEqual([1, 2])
    expect(state.memberByName('web')).toBeUndefined()
    expect(state.memberByName('mail')?.renew).toBeUndefined()
    expect(refusal(admit(2, { name: 'web' }))).toBe('taken')
    expect(take(admit(1, { name: 'mail' }))).toEqual([3])
  })

  it('of a revoked key never come back', () => {
    take(admit(1))
    take(network.revoke(1))
    expect(refusal(admit(1))).toBe('RevokedError')
    take(network.revoke(2))
    expect(refusal(admit(2))).toBe('RevokedError')
  })

  it('last no longer than the genesis allows', () => {
    const draft = admit(1)
    network.clock.nowMs -= 600_001
    expect(refusal(draft)).toBe('LogMismatchError')
    network.clock.nowMs += 1
    expect(refusal(draft)).toBe('taken')
  })

  it('need the grant of a log key and the request of the joiner', () => {
    network.logKey = keyNumber(66)
    expect(refusal(admit(1, { invite: true }))).toBe('LogMismatchError')
    const draft = network.admit(networkId, 1)
    if (draft.kind !== 'admit') return
    expect(refusal({ kind: 'admit', body: { ...draft.body, name: 'other' } })).toBe('InvalidPayloadError')
    expect(refusal({ kind: 'admit', body: { ...draft.body, role: 'secondary' } })).toBe('InvalidPayloadError')
    expect(refusal({ kind: 'admit', body: { ...draft.body, publicKey: key(2) } })).toBe('InvalidEnvelopeError')
  })

  it('of a founder are for an empty network', () => {
    const founder = {
      kind: 'admit',
      body: { publicKey: key(1), name: 'root', role: 'root', notAfterMs: 1, via: 'founder' }
    }
    expect(refusal(founder)).toBe('taken')
    take(network.revoke(9))
    expect(refusal(founder)).toBe('LogMismatchError')
    state = newState()
    take(admit(2))
    expect(refusal(founder)).toBe('LogMismatchError')
  })
})

/** What the helper asks of a replica. */
const fakeReplica = () => ({ networkId, state }) as unknown as Parameters<LogNetwork['renew']>[0]

describe('renewals', () => {
  it('move the end, once per request', () => {
    take(admit(1))
    network.clock.nowMs += 1000
    const draft = network.renew(fakeReplica(), 1)
    expect(take(draft)).toEqual([])
    expect(state.member(key(1))?.renew?.value.kind).toBe('renew')
    expect(refusal(draft)).toBe('LogMismatchError')
    network.clock.nowMs += 1000
    expect(take(network.renew(fakeReplica(), 1))).toEqual([2])
  })

  it('never make a membership shorter or too long', () => {
    take(admit(1))
    network.clock.nowMs -= 1000
    expect(refusal(network.renew(fakeReplica(), 1))).toBe('LogMismatchError')
    const draft = network.renew(fakeReplica(), 1)
    if (draft.kind !== 'renew') return
    const notAfterMs = draft.body.notAfterMs + 700_000
    expect(refusal({ kind: 'renew', body: { ...draft.body, notAfterMs } })).toBe('LogMismatchError')
  })

  it('are for members', () => {
    expect(refusal(network.renew(fakeReplica(), 1))).toBe('NotMemberError')
    take(admit(1))
    take(network.revoke(1))
    expect(refusal(network.renew(fakeReplica(), 1))).toBe('RevokedError')
  })
})

describe('revocations', () => {
  it('end membership, name and place among the registries, for ever', () => {
    take(admit(1, { name: 'web' }))
    take(network.renew(fakeReplica(), 1))
    take(network.registrySet(1))
    expect(take(network.revoke(1)).toSorted()).toEqual([1, 2, 3])
    expect(state.member(key(1))).toBeUndefined()
    expect(state.memberByName('web')).toBeUndefined()
    expect(state.registries()).toEqual([])
    expect(state.isRevoked(key(1))).toBe(true)
    expect(state.revoked(key(1))?.n).toBe(4)
    expect([...state.revokedKeys()]).toHaveLength(1)
    expect(refusal(network.revoke(1))).toBe('RevokedError')
    expect(state.live()).toEqual([0, 4])
  })

  it('are enforced from outside without being in the log', () => {
    state = newState(new Set([Buffer.from(key(1)).toString('latin1')]))
    take(admit(1))
    expect(state.isRevoked(key(1))).toBe(true)
    expect(state.revoked(key(1))).toBeUndefined()
  })
})

describe('rotations', () => {
  it('hand name, role, end and place among the registries to the new key, and shut the old one out', () => {
    take(admit(1, { name: 'web' }))
    take(network.registrySet(1))
    take(network.rotate(networkId, 1, 2))
    expect(state.memberByName('web')?.publicKey).toEqual(key(2))
    expect(state.member(key(2))?.admit.value.kind).toBe('rotate')
    expect(state.isRevoked(key(1))).toBe(true)
    expect(state.registry(key(2))?.n).toBe(2)
    expect(state.registry(key(1))).toBeUndefined()
    expect(state.live()).toEqual([0, 1, 2, 3])
    take(network.rotate(networkId, 2, 3))
    expect(take(network.revoke(3))).toEqual([1, 2])
    // What shuts out the old keys stays.
    expect(state.live()).toEqual([0, 3, 4, 5])
  })

  it('are for members, to a key that is new', () => {
    expect(refusal(network.rotate(networkId, 1, 2))).toBe('NotMemberError')
    take(admit(1))
    take(admit(2))
    expect(refusal(network.rotate(networkId, 1, 2))).toBe('LogMismatchError')
    take(network.revoke(2))
    expect(refusal(network.rotate(networkId, 1, 2))).toBe('RevokedError')
    expect(refusal(network.rotate(networkId, 2, 3))).toBe('RevokedError')
  })
})

describe('registries and publishers', () => {
  it('are members, entered, replaced and removed', () => {
    expect(refusal(network.registrySet(1))).toBe('NotMemberError')
    expect(refusal(network.registrySet(1, true))).toBe('NotFoundError')
    take(admit(1))
    take(network.registrySet(1))
    expect(take({ kind: 'registrySet', body: { publicKey: key(1), role: 'root', removed: false } })).toEqual([2])
    expect(state.rootRegistry()?.publicKey).toEqual(key(1))
    take(admit(2))
    take({ kind: 'registrySet', body: { publicKey: key(2), role: 'root', removed: false } })
    expect(state.rootRegistry()?.publicKey).toEqual(key(2))
    expect(take(network.registrySet(1, true))).toEqual([3, 6])
    expect(state.registries()).toHaveLength(1)
  })

  it('name who may publish', () => {
    const byMember = network.publish('a', 1, 10, key(5))
    expect(refusal(byMember)).toBe('LogMismatchError')
    expect(refusal(network.publisher(5, true))).toBe('NotFoundError')
    take(network.publisher(5))
    expect(refusal(network.publisher(5))).toBe('LogMismatchError')
    expect(refusal(byMember)).toBe('taken')
    expect(state.publishers()).toHaveLength(1)
    expect(take(network.publisher(5, true))).toEqual([1, 2])
    expect(refusal(byMember)).toBe('LogMismatchError')
    expect(refusal(network.publish('a', 1, 10, logKey.publicKey))).toBe('taken')
    expect(refusal(network.publish('a', 1, 10, authority.publicKey))).toBe('taken')
  })
})

describe('documents', () => {
  beforeEach(() => {
    take(network.publisher(1003))
  })

  it('go up version by version, are retired, and come back', () => {
    expect(refusal(network.publish('a', 2))).toBe('LogMismatchError')
    expect(refusal(network.retire('a'))).toBe('NotFoundError')
    take(network.publish('a', 1))
    expect(refusal(network.publish('a', 1))).toBe('LogMismatchError')
    expect(take(network.publish('a', 2))).toEqual([2])
    expect(take(network.retire('a'))).toEqual([])
    expect(state.document('a')).toMatchObject({ version: 2, retired: { reason: 'old' } })
    expect(refusal(network.retire('a'))).toBe('LogMismatchError')
    expect(take(network.publish('a', 3))).toEqual([3, 4])
    expect([...state.documents()]).toHaveLength(1)
    expect(state.document('a')?.retired).toBeUndefined()
  })

  it('keep within the quota of all that are not retired', () => {
    take(network.publish('a', 1, 600))
    expect(refusal(network.publish('b', 1, 401))).toBe('LogMismatchError')
    expect(refusal(network.publish('a', 2, 1000))).toBe('taken')
    take(network.publish('b', 1, 400))
    take(network.retire('a'))
    expect(refusal(network.publish('c', 1, 600))).toBe('taken')
  })
})

describe('the order of entries', () => {
  it.each<[string, Partial<LogEntry>, SigningKey?]>([
    ['a place that is not due', { n: 5 }],
    ['another entry before it', { prevHash: new Uint8Array(32) }],
    ['another epoch', { epoch: 1 }],
    ['another network', { networkId: new Uint8Array(32) }],
    ['another signer', {}, keyNumber(9)]
  ])('is broken by %s', (_, changes, signer) => {
    const revoke = { ...network.revoke(1) }
    const entry = next(revoke, signer, changes)
    expect(() => state.check(entry, {})).toThrow(expect.objectContaining({ name: 'LogMismatchError' }))
  })

  it('takes entries of newer kinds without effect', () => {
    const root = state.root()
    expect(take({ kind: 'unknown', kindNumber: 99, body: Uint8Array.of(1, 2) })).toEqual([])
    expect(state.root()).toEqual(root)
    expect(state.live()).toEqual([0, 1])
    const stored = readStoredEntry(entries.get(1)?.bytes ?? new Uint8Array())
    expect(stored.value).toMatchObject({ kind: 'unknown', kindNumber: 99, n: 1 })
  })
})

describe('log keys', () => {
  it('open epochs, each with its place', () => {
    take({ kind: 'delegate', body: { logKey: key(1005) } }, authority, { epoch: 3 })
    expect(state.head).toMatchObject({ epoch: 3, n: 1 })
    expect(state.logKeyOf(3)).toEqual(key(1005))
    expect(state.logKeyOf(2)).toBeUndefined()
    expect(state.forkPoint(3)).toMatchObject({ forkN: 0, forkHash: networkId })
    expect(state.keys.epoch).toBe(3)
    expect(refusal(network.revoke(1))).toBe('LogMismatchError')
    expect(refusal(network.revoke(1), keyNumber(1005))).toBe('taken')
  })

  it('are opened by the authority that was revealed last', () => {
    const digest = sha256(key(1010))
    expect(
      refusal({ kind: 'authority', body: { authorityKey: key(7), nextAuthorityDigest: digest } }, keyNumber(7))
    ).toBe('LogMismatchError')
    take(
      { kind: 'authority', body: { authorityKey: nextAuthority.publicKey, nextAuthorityDigest: digest } },
      nextAuthority
    )
    expect(refusal({ kind: 'delegate', body: { logKey: key(5) } }, authority, { epoch: 1 })).toBe('LogMismatchError')
    expect(refusal({ kind: 'delegate', body: { logKey: key(5) } }, nextAuthority, { epoch: 1 })).toBe('taken')
  })

  it('are judged by the entries of their kinds only', () => {
    const other = next(network.revoke(1))
    expect(() => state.keys.afterDelegate(other)).toThrow('no delegation')
    expect(() => state.keys.afterAuthority(other)).toThrow('no authority')
  })
})

describe('taking back', () => {
  it('comes to the state before, as if nothing had been', () => {
    take(admit(1, { name: 'web' }))
    take(network.registrySet(1))
    take(network.publisher(1003))
    take(network.publish('a', 1))
    const facts = () => ({
      head: state.head,
      root: state.root(),
      rows: state.rows,
      bytes: state.bytes,
      live: state.live(),
      member: state.member(key(1))?.name,
      epoch: state.keys.epoch
    })
    const before = facts()
    state.begin()
    take(network.renew(fakeReplica(), 1))
    const mark = state.mark()
    const middle = facts()
    take(network.rotate(networkId, 1, 2))
    take(network.revoke(2))
    take(admit(3, { name: 'web' }))
    take(network.retire('a'))
    take(network.publish('a', 2))
    take(network.publisher(1003, true))
    take({ kind: 'delegate', body: { logKey: key(1005) } }, authority, { epoch: 1 })
    state.undoTo(mark)
    expect(facts()).toEqual(middle)
    state.undoTo(0)
    expect(facts()).toEqual(before)
    state.settle()
    expect(take(network.revoke(1)).toSorted()).toEqual([1, 2])
  })
})

describe('a compacted log', () => {
  it('is refused out of order, with what was superseded, or with an end that is not its own', () => {
    take(admit(1))
    take(network.renew(fakeReplica(), 1))
    take(network.renew(fakeReplica(), 1))
    const [one, two, three] = [1, 2, 3].map((n) => entries.get(n))
    if (one === undefined || two === undefined || three === undefined) return
    const loaded = newState()
    loaded.load(one)
    expect(() => loaded.load(one)).toThrow('comes after')
    const gap = newState()
    expect(() => gap.load(three)).toThrow('not there')
    const all = newState()
    all.load(one)
    all.load(two)
    expect(() => all.load(three)).toThrow('should be gone')
    const good = newState()
    good.load(one)
    good.load(three)
    expect(() => good.finishLoad({ ...state.head, n: 2 })).toThrow('not at 2')
    expect(() => good.finishLoad({ ...state.head, hash: networkId })).toThrow('not at 3')
    expect(() => good.finishLoad({ ...state.head, epoch: 1 })).toThrow('not at 3')
    good.finishLoad(state.head)
    expect(good.root()).toEqual(state.root())
  })

  it('that breaks the chain or retires nothing is refused', () => {
    take(network.publisher(1003))
    take(network.publish('a', 1))
    take(network.retire('a'))
    const retire = entries.get(3)
    if (retire === undefined) return
    expect(() => newState().load(retire)).toThrow('not there')
    const forged = next(network.revoke(1), logKey, { n: 1, prevHash: new Uint8Array(32) })
    expect(() => newState().load(forged)).toThrow('does not follow')
  })
})

const bytes = z.string().transform((hex) => fromString(hex, 'hex'))
const recorded = z
  .object({ genesis: bytes, entries: z.array(bytes), checkpoint: bytes, roots: z.array(z.string()) })
  .parse(JSON.parse(readFileSync(new URL('../../fixtures/vectors/state-log.json', import.meta.url), 'utf8')))

describe('the recorded log', () => {
  it('has the recorded state root behind each of its entries', () => {
    const start = openGenesis(recorded.genesis)
    const replayed = new NetworkState(start, () => {
      throw new Error('not asked for')
    })
    const roots = [text(replayed.root(), 'hex')]
    for (const envelope of recorded.entries) {
      const entry = openEntry(envelope, start.hash)
      expect(readStoredEntry(envelope)).toEqual(entry)
      replayed.check(entry, openProofs(entry.value))
      replayed.apply(entry)
      roots.push(text(replayed.root(), 'hex'))
    }
    expect(roots).toEqual(recorded.roots)
    const { value, signer } = openCheckpoint(recorded.checkpoint, start.hash)
    expect(value).toMatchObject({ n: replayed.head.n, rows: replayed.rows, bytes: replayed.bytes, epoch: 1 })
    expect(text(value.stateRoot, 'hex')).toBe(recorded.roots.at(-1))
    expect(value.headHash).toEqual(replayed.head.hash)
    expect(signer).toEqual(replayed.logKeyOf(1))
  })
})
