import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import type { Replica } from '../log/replica.ts'
import { readStoredEntry } from '../log/state/stored-entry.ts'
import type { LogEntry, Revoke } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'

/** A revoke by the log key of an older epoch, of which nothing proves that it was made before the epoch ended. */
export interface OfferedRevoke {
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

/** One for each member at most, so this guards a large network's store against a log key of the past. */
const maxOffered = 1_000

/** Revokes that wait at the root for the word of its operator: one for each member that they would hit. */
export class OfferedRevokes {
  readonly #replica: Replica

  constructor({ replica }: { replica: Replica }) {
    this.#replica = replica
  }

  /** Those over which nobody has decided, one for each member: what was handed over, then what this replica itself enforces. */
  list(): OfferedRevoke[] {
    const { ledger, state } = this.#replica
    const found = new Map<string, OfferedRevoke>()
    for (const { kind, envelope, atMs, other } of [...ledger.evidence('offered'), ...ledger.evidence('void')]) {
      const { value } = readStoredEntry(envelope)
      if (value.kind !== 'revoke' || state.member(value.body.publicKey) === undefined) continue
      const { publicKey, reason } = value.body
      const key = keyId(publicKey)
      if (found.has(key) || (kind === 'void' && !ledger.enforced.has(key))) continue
      const { epoch, n, timeMs } = value
      const from = other === null ? {} : { from: other }
      found.set(key, { publicKey, reason, epoch, n, claimedMs: timeMs, ...from, seenMs: atMs })
    }
    return [...found.values()]
  }

  /** Keeps one; false when it hits no member, or that member is on the list already. */
  async add(entry: Signed<LogEntry>, { publicKey }: Revoke, from: Uint8Array | undefined): Promise<boolean> {
    const { ledger, state } = this.#replica
    const kept = this.list()
    const isKnown = kept.some((each) => equals(each.publicKey, publicKey))
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
