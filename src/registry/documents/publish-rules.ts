import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { ChangedMeanwhileError, LogMismatchError, PublishRefusedError } from '../../runtime/errors.ts'
import type { DocumentRow, NetworkState } from '../log/state/network-state.ts'
import { encodeBody, type LogEntry, type Publish } from '../objects/entry.ts'

type KnownDocuments = Pick<NetworkState, 'checkContent' | 'document' | 'documents' | 'policy'>

/** Documents that are named where there is no room for another one. */
const mostNamed = 3

/** Current documents of a network: whoever enters one looks at all of them. */
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
export function requirePublishable(state: KnownDocuments, publish: Publish, timeMs: number): void {
  const { id, documentVersion } = publish
  const due = nextVersion(state, id)
  if (documentVersion !== due) {
    throw new ChangedMeanwhileError(
      `version ${due - 1} of ${id} was published meanwhile: look at it (\`trustnet document show ${id}\`), then publish again`
    )
  }
  requireRoom(state, publish)
  try {
    state.checkContent({ kind: 'publish', body: publish }, timeMs, undefined)
  } catch (error) {
    if (!(error instanceof LogMismatchError)) throw error
    throw new PublishRefusedError(`${error.message}: an operator allows it with \`trustnet document allow-publisher\``)
  }
}

function requireRoom(state: KnownDocuments, { id, sizeBytes }: Publish): void {
  const { documentBytes } = state.policy
  const others = [...state.documents()].filter((row) => row.retired === undefined && row.id !== id)
  if (others.length >= maxDocuments) {
    throw new PublishRefusedError(
      `${id} is one more than the ${maxDocuments} documents that a network has: retire what is not needed (\`trustnet document retire\`)`
    )
  }
  const free = documentBytes - others.reduce((sum, row) => sum + row.sizeBytes, 0)
  if (sizeBytes <= free) return
  const largest = others.toSorted((a, b) => b.sizeBytes - a.sizeBytes).slice(0, mostNamed)
  const named = largest.map((row) => `${row.id} (${row.sizeBytes} bytes)`).join(', ')
  const drop =
    named === '' ? '' : `retire what is not needed (\`trustnet document retire\`; the largest: ${named}), or `
  throw new PublishRefusedError(
    `${id} has ${sizeBytes} bytes, and ${Math.max(0, free)} of ${documentBytes} are free: ${drop}raise documentBytes of the policy`
  )
}
