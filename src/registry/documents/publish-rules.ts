import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import { ChangedMeanwhileError, PublishRefusedError } from '../../runtime/errors.ts'
import type { DocumentRow, NetworkState } from '../log/state/network-state.ts'
import { shareOf } from '../log/state/rows.ts'
import { encodeBody, type LogEntry, type Publish } from '../objects/entry.ts'

type KnownDocuments = Pick<
  NetworkState,
  | 'currentDocuments'
  | 'document'
  | 'documents'
  | 'documentsOf'
  | 'isRevoked'
  | 'mayPublish'
  | 'member'
  | 'policy'
  | 'registry'
>

/** Documents that are named where there is no room for another one. */
const mostNamed = 3

/** Current documents of a network: each member looks at all of them for what is missing, after each change. */
const maxDocuments = 16_384

/** The version that an entry about this document has next. A retired document counts. */
export const nextVersion = (state: Pick<NetworkState, 'document'>, id: string): number =>
  (state.document(id)?.version ?? 0) + 1

/** The version that is there already, when this would publish it once more. */
export function sameVersion(state: NetworkState, publish: Publish): DocumentRow | undefined {
  const row = state.document(publish.id)
  const isSame =
    row !== undefined &&
    row.retired === undefined &&
    row.mediaType === publish.mediaType &&
    equals(row.digest, publish.digest) &&
    keyId(row.publisherKey) === keyId(publish.publisherKey)
  return isSame ? row : undefined
}

/** Tells whether an entry publishes just this. */
export const isEntryOf = (value: LogEntry, publish: Publish): boolean =>
  value.kind === 'publish' && equals(encodeBody(value).body, encodeBody({ kind: 'publish', body: publish }).body)

/**
 * Tells in words of the operator why the log would not take a document now.
 * @throws ChangedMeanwhileError when another version was published meanwhile; PublishRefusedError
 */
export function requirePublishable(state: KnownDocuments, publish: Publish): void {
  const { id, documentVersion, publisherKey } = publish
  const due = nextVersion(state, id)
  if (documentVersion !== due) {
    throw new ChangedMeanwhileError(
      `version ${due - 1} of ${id} was published meanwhile: look at it (\`trustnet document show ${id}\`), then publish again`
    )
  }
  requireRoom(state, publish)
  requireShare(state, publish)
  if (state.isRevoked(publisherKey) || !state.mayPublish(publisherKey))
    throw new PublishRefusedError(whyNot(state, publisherKey))
}

/** The reason why a key may not publish, and what an operator does about it. */
function whyNot(state: KnownDocuments, publisherKey: Uint8Array): string {
  const name = state.member(publisherKey)?.name ?? peerIdText(publisherKey)
  if (state.isRevoked(publisherKey)) return `${name} may not publish documents: its key was revoked`
  if (state.policy.publishing === 'root')
    return `${name} may not publish documents: the policy takes them of the root alone (publishing: root); an operator changes it with \`trustnet policy edit\``
  return `${name} may not publish documents: an operator allows it with \`trustnet document allow-publisher ${name}\``
}

function requireRoom(state: KnownDocuments, { id, sizeBytes }: Publish): void {
  const { documentBytes } = state.policy
  const { currentDocuments } = state
  const own = shareOf(state.document(id))
  if (currentDocuments.count - own.count >= maxDocuments) {
    throw new PublishRefusedError(
      `${id} is one more than the ${maxDocuments} documents that a network has: retire what is not needed (\`trustnet document retire\`)`
    )
  }
  const free = documentBytes - (currentDocuments.bytes - own.bytes)
  if (sizeBytes <= free) return
  const others = [...state.documents()].filter((row) => row.retired === undefined && row.id !== id)
  const largest = others.toSorted((a, b) => b.sizeBytes - a.sizeBytes).slice(0, mostNamed)
  const named = largest.map((row) => `${row.id} (${row.sizeBytes} bytes)`).join(', ')
  const drop =
    named === '' ? '' : `retire what is not needed (\`trustnet document retire\`; the largest: ${named}), or `
  throw new PublishRefusedError(
    `${id} has ${sizeBytes} bytes, and ${Math.max(0, free)} of ${documentBytes} are free: ${drop}raise documentBytes of the policy`
  )
}

/**
 * Leaves room for others: whoever is not the root takes half of what they have not taken, at most, so that no number of publishers takes all.
 * A version that is no larger than the one before it takes nothing.
 */
function requireShare(state: KnownDocuments, { id, sizeBytes, publisherKey }: Publish): void {
  if (state.registry(publisherKey)?.role === 'root') return
  const { documentBytes } = state.policy
  const { currentDocuments } = state
  const row = state.document(id)
  const own = row !== undefined && keyId(row.publisherKey) === keyId(publisherKey) ? shareOf(row) : shareOf(undefined)
  const before = state.documentsOf(publisherKey)
  const replaced = shareOf(row)
  const isOver = (field: 'count' | 'bytes', most: number, more: number): boolean => {
    const others = currentDocuments[field] - before[field] - (replaced[field] - own[field])
    const after = before[field] - own[field] + more
    return more > own[field] && after > (most - others) / 2
  }
  if (!isOver('count', maxDocuments, 1) && !isOver('bytes', documentBytes, sizeBytes)) return
  const name = state.member(publisherKey)?.name ?? peerIdText(publisherKey)
  throw new PublishRefusedError(
    `${name} has ${before.count} documents with ${before.bytes} bytes, and ${id} would be more than half of what others leave of ${maxDocuments} documents and ${documentBytes} bytes: retire some of them (\`trustnet document retire ID…\`, all with --publisher ${name}), or let the root publish it`
  )
}
