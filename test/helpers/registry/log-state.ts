import { expect } from 'vitest'
import { sha256 } from '../../../src/identity/hash.ts'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { completed } from '../../../src/registry/log/complete-entry.ts'
import type { EntryDraft } from '../../../src/registry/log/log-writer.ts'
import { NetworkState } from '../../../src/registry/log/state/network-state.ts'
import { openProofs } from '../../../src/registry/log/state/proofs.ts'
import { type EntryContent, type EntryPosition, type LogEntry, sealEntry } from '../../../src/registry/objects/entry.ts'
import type { Signed } from '../../../src/registry/objects/envelope.ts'
import { sealGenesis } from '../../../src/registry/objects/genesis.ts'
import { defaultPolicy } from '../../../src/registry/objects/policy/policy.ts'
import { keyNumber, LogNetwork } from '../log-network.ts'

export const authority = keyNumber(1001)
export const nextAuthority = keyNumber(1002)
export const logKey = keyNumber(1004)
export const key = (member: number): Uint8Array => keyNumber(member).publicKey

const genesis = sealGenesis(
  {
    domain: 'example.org',
    name: 'Example',
    authorityKey: authority.publicKey,
    nextAuthorityDigest: sha256(nextAuthority.publicKey),
    logKey: logKey.publicKey,
    createdMs: 1,
    policy: { ...defaultPolicy, documentBytes: 1000 }
  },
  authority
)

/** A state in memory that entries are put to, without a store. */
export class LogState {
  readonly networkId = genesis.hash
  readonly network = new LogNetwork()
  readonly entries = new Map<number, Signed<LogEntry>>()
  readonly state: NetworkState

  constructor(enforced?: Set<string>) {
    this.state = this.newState(enforced)
  }

  /** Another one that reads the same entries. */
  newState(enforced?: Set<string>): NetworkState {
    return new NetworkState(genesis, (n) => this.entry(n), enforced)
  }

  entry(n: number): Signed<LogEntry> {
    const entry = this.entries.get(n)
    if (entry === undefined) throw new Error(`no entry ${n}`)
    return entry
  }

  /** The entry that follows the head, signed. */
  next(content: EntryContent, signer = logKey, changes: Partial<EntryPosition> = {}): Signed<LogEntry> {
    const { n, hash, epoch } = this.state.head
    const position = { networkId: this.networkId, n: n + 1, prevHash: hash, epoch, timeMs: this.network.clock.now() }
    return sealEntry({ ...position, ...changes, ...completed(content, this.state) }, signer)
  }

  /** Gives the positions that were superseded. */
  take(content: EntryContent, signer?: SigningKey, changes?: Partial<EntryPosition>): number[] {
    const entry = this.next(content, signer, changes)
    this.state.check(entry, openProofs(entry.value))
    this.entries.set(entry.value.n, entry)
    return this.state.apply(entry).toSorted((a, b) => a - b)
  }

  /** Name of the error with which an entry is refused, which changes nothing; or `taken`, without taking it. */
  refusal(content: EntryContent, signer?: SigningKey, changes?: Partial<EntryPosition>): string {
    const before = { head: this.state.head, root: this.state.root() }
    try {
      const entry = this.next(content, signer, changes)
      this.state.check(entry, openProofs(entry.value))
      return 'taken'
    } catch (error) {
      expect({ head: this.state.head, root: this.state.root() }).toEqual(before)
      return error instanceof Error ? error.name : String(error)
    }
  }

  admit(member: number, fields: { name?: string; invite?: number } = {}): EntryDraft {
    return this.network.admit(this.networkId, member, fields)
  }
}
