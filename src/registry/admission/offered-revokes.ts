import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { isUndecided } from '../log/epochs/enforced-revokes.ts'
import type { Replica } from '../log/replica.ts'
import { readStoredEntry } from '../log/state/stored-entry.ts'
import type { EntryBodies, LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'

/** Kind and content of an entry that takes a member away. */
export type OfferedEntry = { [K in OfferedKind]: { kind: K; body: EntryBodies[K] } }[OfferedKind]

/** Kinds that take a member away: a revoke, and the end of a membership. */
export type OfferedKind = 'revoke' | 'end'

/** A revoke or an end by the log key of an older epoch, of which nothing proves that it was made before the epoch ended. */
export interface OfferedRevoke {
  kind: OfferedKind
  publicKey: Uint8Array
  reason: string
  /** Its place in the log of its epoch, as its signer says. */
  epoch: number
  n: number
  /** As its signer says. */
  claimedMs: number
  /** Member that handed it over; undefined: this root held it when it cut it off. */
  from?: Uint8Array
  seenMs: number
}

/** One of a kind for each member at most, so this guards a large network's store against a log key of the past. */
const maxOffered = 1_000

/** Revokes and ends that wait at the root for the word of its operator: one of a kind for each member that they would hit. */
export class OfferedRevokes {
  readonly #replica: Replica

  constructor({ replica }: { replica: Replica }) {
    this.#replica = replica
  }

  /** Those over which nobody has decided: what was handed over, then what this replica itself enforces or holds. */
  list(): OfferedRevoke[] {
    const { ledger, state } = this.#replica
    const found = new Map<string, OfferedRevoke>()
    for (const row of [...ledger.evidence('offered'), ...ledger.evidence('void')]) {
      const { value } = readStoredEntry(row.envelope)
      if ((value.kind !== 'revoke' && value.kind !== 'end') || state.member(value.body.publicKey) === undefined)
        continue
      const { kind, epoch, n, timeMs, body } = value
      const { publicKey, reason } = body
      const key = `${kind} ${keyId(publicKey)}`
      if (found.has(key) || (row.kind === 'void' && !this.#isOpen(kind, { publicKey, epoch, atMs: row.atMs }))) continue
      const from = row.other === null ? {} : { from: row.other }
      found.set(key, { kind, publicKey, reason, epoch, n, claimedMs: timeMs, ...from, seenMs: row.atMs })
    }
    return [...found.values()]
  }

  #isOpen(kind: OfferedKind, entry: { publicKey: Uint8Array; epoch: number; atMs: number }): boolean {
    const { ledger, state } = this.#replica
    if (kind === 'revoke') return ledger.enforced.has(keyId(entry.publicKey))
    return isUndecided(state, entry, ledger.clock.now())
  }

  /** Keeps one; false when it hits no member, or one of its kind about that member is on the list already. */
  async add(
    entry: Signed<LogEntry>,
    { kind, body: { publicKey } }: OfferedEntry,
    from: Uint8Array | undefined
  ): Promise<boolean> {
    const { ledger, state } = this.#replica
    const kept = this.list()
    const isKnown = kept.some((each) => each.kind === kind && equals(each.publicKey, publicKey))
    if (isKnown || kept.length >= maxOffered || state.member(publicKey) === undefined) return false
    const { epoch, n } = entry.value
    const { hash, bytes: envelope } = entry
    const row = { kind: 'offered', epoch, n, hash, subject: publicKey, envelope, other: from } as const
    return await ledger.write(() => ledger.table.addEvidence({ ...row, atMs: ledger.clock.now() }))
  }

  /** Takes a member off the list, with what this replica itself holds against it. false: it was not on it. */
  async dismiss(publicKey: Uint8Array): Promise<boolean> {
    const { table } = this.#replica.ledger
    return await this.#replica.ledger.write(() => {
      const isHeld = table.dropEvidence('void', publicKey)
      return table.dropEvidence('offered', publicKey) || isHeld
    })
  }
}
