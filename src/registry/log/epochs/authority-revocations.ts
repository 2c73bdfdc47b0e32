import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import type { SigningKey } from '../../../identity/keys.ts'
import { LimitError, LogMismatchError } from '../../../runtime/errors.ts'
import { type LogEntry, openEntryAsync, type Revoke, sealEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { EvidenceKind, EvidenceRow } from '../../store/log-rows.ts'
import type { Ledger } from '../ledger.ts'
import { readStoredEntry } from '../state/stored-entry.ts'
import { isUndecided } from './enforced-revokes.ts'

/** More keys than these are not shut out beside the log: a new epoch does that. */
const maxKept = 10_000

/** Signed by a key that is not the authority here: whoever sends it knows an older or a newer one, or has made it up. */
export class OtherAuthorityError extends LogMismatchError {}

/** A revoke that the authority signs itself, because the root is gone or in wrong hands. At the head that is known: of its place nothing depends. */
export const sealRevoke = (
  {
    networkId,
    head,
    nowMs
  }: { networkId: Uint8Array; head: { epoch: number; n: number; hash: Uint8Array }; nowMs: number },
  authority: SigningKey,
  body: Pick<Revoke, 'publicKey' | 'reason'>
): Signed<LogEntry> =>
  sealEntry(
    { networkId, n: head.n + 1, prevHash: head.hash, epoch: head.epoch, timeMs: nowMs, kind: 'revoke', body },
    authority
  )

export interface AuthorityRevocationRow {
  /** Ascending, of this store. */
  readonly id: number
  readonly publicKey: Uint8Array
  /** Envelope. */
  readonly bytes: Uint8Array
}

const nameOf = ({ publicKey }: Revoke, signer: Uint8Array): string => keyId(publicKey) + keyId(signer)

/** Revokes of the authority that are in force beside the log, until the root has entered them. */
export class AuthorityRevocations {
  readonly #ledger: Ledger
  /** Key and signer of those that are kept. */
  readonly #held = new Set<string>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    for (const { body, entry } of this.#revokes('emergency')) this.#held.add(nameOf(body, entry.signer))
  }

  /**
   * Enforces an entry of kind revoke, at any position. false: the key is shut out already.
   * @throws OtherAuthorityError when the signer is not the authority, LogMismatchError when it is no revoke, LimitError
   */
  async enforce(bytes: Uint8Array): Promise<boolean> {
    const { genesis } = this.#ledger
    const entry = await openEntryAsync(bytes, genesis.hash)
    return await this.#ledger.exclusive(() => this.#keep(entry))
  }

  async #keep({ value, signer, hash, bytes }: Signed<LogEntry>): Promise<boolean> {
    const { state, table, clock, enforced, events } = this.#ledger
    if (value.kind !== 'revoke') throw new LogMismatchError('only a revoke is enforced before the root has entered it')
    if (!equals(signer, state.keys.authorityKey)) {
      throw new OtherAuthorityError('a revoke beside the log counts only when the authority has signed it')
    }
    const { publicKey } = value.body
    const name = nameOf(value.body, signer)
    if (state.revoked(publicKey) !== undefined || this.#held.has(name)) return false
    if (this.#held.size >= maxKept)
      throw new LimitError(`${maxKept} keys are shut out beside the log: no more are taken`)
    const { epoch, n } = value
    const row = { kind: 'emergency', epoch, n, hash, subject: publicKey, envelope: bytes } as const
    await this.#ledger.write(() => table.addEvidence({ ...row, atMs: clock.now() }))
    this.#held.add(name)
    enforced.addByAuthority(publicKey)
    events.safeDispatchEvent('enforced', { detail: { publicKey } })
    return true
  }

  /** Those of today's authority that the log does not say, behind a row id. */
  after(id: number, limit: number): AuthorityRevocationRow[] {
    const { state } = this.#ledger
    const found: AuthorityRevocationRow[] = []
    if (!state.hasUnenteredRevokes) return found
    for (const { row, body, entry } of this.#revokes('emergency', id)) {
      if (state.revoked(body.publicKey) !== undefined || !equals(entry.signer, state.keys.authorityKey)) continue
      found.push({ id: row.id, publicKey: body.publicKey, bytes: entry.bytes })
      if (found.length >= limit) break
    }
    return found
  }

  /** Revokes in force, and ends and admissions that were made void, of which the log says nothing: the root should know of them. */
  unsettled(): Signed<LogEntry>[] {
    const { state, enforced, clock } = this.#ledger
    const kept = [...this.#kept('emergency'), ...this.#kept('void')].filter(({ row: { atMs }, entry: { value } }) => {
      if (value.kind === 'revoke') {
        const { publicKey } = value.body
        return enforced.has(keyId(publicKey)) && state.revoked(publicKey) === undefined
      }
      if (value.kind === 'end') {
        const { publicKey } = value.body
        const isMember = state.member(publicKey) !== undefined
        return isMember && isUndecided(state, { publicKey, epoch: value.epoch, atMs }, clock.now())
      }
      if (value.kind !== 'admit') return false
      return !state.isRevoked(value.body.publicKey) && state.member(value.body.publicKey) === undefined
    })
    return kept.map(({ entry }) => entry)
  }

  /** Revokes by the authority that are in force but not in the log: the root must enter them. Over void ones its operator decides. */
  revokes(): Revoke[] {
    const { state, enforced } = this.#ledger
    if (!state.hasUnenteredRevokes) return []
    const pending = new Map<string, Revoke>()
    for (const { body } of this.#revokes('emergency')) {
      const key = keyId(body.publicKey)
      if (enforced.has(key) && state.revoked(body.publicKey) === undefined) pending.set(key, body)
    }
    return [...pending.values()]
  }

  *#kept(kind: EvidenceKind, afterId = 0): Generator<{ row: EvidenceRow; entry: Signed<LogEntry> }> {
    for (const row of this.#ledger.evidence(kind, afterId)) yield { row, entry: readStoredEntry(row.envelope) }
  }

  *#revokes(kind: EvidenceKind, afterId = 0): Generator<{ row: EvidenceRow; entry: Signed<LogEntry>; body: Revoke }> {
    for (const { row, entry } of this.#kept(kind, afterId)) {
      if (entry.value.kind === 'revoke') yield { row, entry, body: entry.value.body }
    }
  }
}
