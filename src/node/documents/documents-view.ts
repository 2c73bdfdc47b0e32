import { toString as text } from 'uint8arrays/to-string'
import type { DocumentEntry } from '../../registry/documents/documents.ts'
import type { Publish } from '../../registry/objects/entry.ts'
import type { Registry } from '../../registry/registry.ts'
import { NotFoundError, UnavailableError } from '../../runtime/errors.ts'
import type { DocumentHistoryView, DocumentsView, DocumentVersion, DocumentView } from '../api/document-views.ts'
import { refOf } from '../views/refs.ts'

/** Bytes that are missing are here again in a moment, where anybody has them. */
const fetchedMs = 5_000

type Placed = Publish & { n: number; timeMs: number }

const versionOf = (registry: Registry, document: Placed): DocumentVersion => ({
  id: document.id,
  version: document.documentVersion,
  mediaType: document.mediaType,
  sizeBytes: document.sizeBytes,
  digest: text(document.digest, 'base16'),
  publisher: refOf(registry, document.publisherKey),
  publishedMs: document.timeMs,
  entry: document.n,
  held: registry.documents.bytes.has(document.digest)
})

/** Newest version of each document, by id. */
export function documentsView(registry: Registry): DocumentsView {
  const { documents, replica } = registry
  const rows = documents.list()
  const current = rows.filter(({ retired }) => retired === undefined)
  return {
    quotaBytes: replica.state.policy.documentBytes,
    usedBytes: current.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    missing: documents.bytes.missing().length,
    publishers: replica.state.publishers().map(({ publicKey }) => refOf(registry, publicKey)),
    waiting: documents.queue.list().map(({ id, version, publisherKey, sinceMs }) => ({
      id,
      version,
      publisher: refOf(registry, publisherKey),
      sinceMs
    })),
    documents: rows.map(({ version, retired, ...row }) => ({
      ...versionOf(registry, { ...row, documentVersion: version }),
      retired: retired === undefined ? null : { retiredMs: retired.timeMs, reason: retired.reason, entry: retired.n }
    }))
  }
}

/**
 * One version with its bytes, the newest by default.
 * @throws NotFoundError for what is unknown, retired or not kept any more; UnavailableError while the bytes are fetched
 */
export async function documentView(
  registry: Registry,
  { id, version }: { id: string; version?: number | undefined }
): Promise<DocumentView> {
  const { documents } = registry
  const newest = documents.get(id)
  if (newest.retired !== undefined && version === undefined) {
    throw new NotFoundError(
      `${id} was retired (${newest.retired.reason || 'without a reason'}): \`trustnet document show ${id} --version ${newest.version}\` shows the last version as long as it is kept`
    )
  }
  const wanted = version ?? newest.version
  const entry = await documents.entryOf(id, wanted)
  const bytes = await documents.bytes.read(entry.digest)
  if (bytes !== undefined) {
    return { document: versionOf(registry, entry), content: Buffer.from(bytes).toString('base64') }
  }
  if (wanted === newest.version && newest.retired === undefined) {
    throw new UnavailableError(
      `the bytes of ${id} are not here yet: they are fetched from any member that has them`,
      fetchedMs
    )
  }
  throw new NotFoundError(
    `the bytes of version ${wanted} of ${id} are not kept here any more: another member may have them`
  )
}

/** Entries about a document that the log still has, oldest first. @throws NotFoundError */
export async function documentHistoryView(registry: Registry, id: string): Promise<DocumentHistoryView> {
  let newest = 0
  const rowOf = ({ value }: DocumentEntry): DocumentHistoryView['history'][number] => {
    const { n: entry, timeMs: atMs, kind } = value
    if (kind === 'publish') newest = value.body.documentVersion
    return {
      kind,
      atMs,
      entry,
      version: newest,
      published: kind === 'publish' ? versionOf(registry, { ...value.body, n: entry, timeMs: atMs }) : null,
      reason: kind === 'retire' ? value.body.reason : null
    }
  }
  return { id, history: (await registry.documents.history(id)).map(rowOf) }
}
