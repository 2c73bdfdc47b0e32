import { equals } from 'uint8arrays/equals'
import { keyId } from '../../../identity/key-id.ts'
import type { SigningKey } from '../../../identity/keys.ts'
import { reasonOf } from '../../../runtime/error-message.ts'
import type { EntryContent } from '../../objects/entry.ts'
import type { Root } from '../log-writer.ts'
import type { Replica } from '../replica.ts'
import type { NetworkState } from '../state/network-state.ts'
import { readStoredEntry } from '../state/stored-entry.ts'

/** An invite that was taken back, or an operator who was removed, above the fork of a new epoch. */
export interface EndAgain {
  content: Extract<EntryContent, { kind: 'grantEnd' | 'operator' }>
  /** The reason why it is in force again all the same; undefined: it is ended again. */
  refused: string | undefined
}

/**
 * Ends among void entries, ascending, of what is in force now: operators first. Whoever holds the line of such an invite, or the key of such
 * an operator, must not come back because the log was cut. The key of the new root's own operator stays.
 */
export function endsAgain(
  entries: Iterable<{ envelope: Uint8Array }>,
  state: Pick<NetworkState, 'grant' | 'operator'>,
  own: Uint8Array | undefined
): EndAgain[] {
  const operators = new Map<string, EndAgain>()
  const invites = new Map<string, EndAgain>()
  for (const { envelope } of entries) {
    const { value } = readStoredEntry(envelope)
    if (value.kind === 'grantEnd' && state.grant(value.body.id) !== undefined) {
      invites.set(keyId(value.body.id), { content: { kind: 'grantEnd', body: value.body }, refused: undefined })
    }
    if (value.kind !== 'operator') continue
    const { publicKey, removed } = value.body
    const known = state.operator(publicKey)
    if (known === undefined || (own !== undefined && equals(publicKey, own))) continue
    const body = { publicKey, name: known.name, removed: true }
    if (removed) operators.set(keyId(publicKey), { content: { kind: 'operator', body }, refused: undefined })
    else operators.delete(keyId(publicKey))
  }
  return [...operators.values(), ...invites.values()]
}

/** Ends them again, each by itself: an end that needs two operators is theirs to order. */
export async function endAgain(
  root: Root,
  { ledger, state, head }: Replica,
  operatorKey: SigningKey | undefined
): Promise<EndAgain[]> {
  const forkN = state.forkPoint(head.epoch)?.forkN ?? head.n
  const above = [...ledger.evidence('void')].filter(({ n }) => n > forkN)
  const ends = endsAgain(above, state, operatorKey?.publicKey)
  const byOperator = operatorKey !== undefined
  return await Promise.all(
    ends.map(({ content }) =>
      root.append([content], { byOperator }).then(
        () => ({ content, refused: undefined }),
        (error: unknown) => ({ content, refused: reasonOf(error) })
      )
    )
  )
}
