import type { DocumentRow } from '../../registry/log/state/network-state.ts'
import type { Registry } from '../../registry/registry.ts'
import { either, onAbort } from '../../runtime/abort.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { DocumentsView, DocumentVersion } from '../api/document-views.ts'
import type { EventBus } from '../event-bus.ts'
import { documentsView, documentView } from './documents-view.ts'

export type DocumentInfo = DocumentsView['documents'][number]

export interface DocumentContent extends DocumentVersion {
  bytes: Uint8Array
}

/** A document that is new, has a new version, or was retired. */
export interface DocumentChange {
  change: 'published' | 'retired'
  document: DocumentInfo
}

/** The register of documents, for programs. */
export interface NodeDocuments {
  /** Newest version of each, by id; retired ones are among them. @throws UnavailableError before the network was found */
  list(): DocumentInfo[]
  /** A version with its bytes, the newest by default. @throws NotFoundError; UnavailableError while the bytes are fetched */
  get(id: string, options?: { version?: number }): Promise<DocumentContent>
  /** Yields what changes from now on, as soon as its bytes are here; ends with the signal. */
  changes(options?: { signal?: AbortSignal }): AsyncGenerator<DocumentChange>
}

/** `registry`: that of now, or the reason why there is none. */
export const nodeDocuments = (registry: () => Registry, events: EventBus, over: AbortSignal): NodeDocuments => ({
  list: () => documentsView(registry()).documents,
  async get(id, { version } = {}) {
    const { document, content } = await documentView(registry(), { id, version })
    return { ...document, bytes: Uint8Array.from(Buffer.from(content, 'base64')) }
  },
  changes: ({ signal } = {}) => changesOf(registry, events, either(signal, over))
})

/** A burst of changes is looked at once. */
const settleMs = 50

async function* changesOf(
  registry: () => Registry,
  events: EventBus,
  signal: AbortSignal
): AsyncGenerator<DocumentChange> {
  let wake = Promise.withResolvers<void>()
  const stop = events.listen('documents', () => wake.resolve())
  using _ = onAbort(signal, () => wake.resolve())
  try {
    for (let known = seen(registry); !signal.aborted; ) {
      await wake.promise
      await sleep(settleMs, signal).catch(() => {})
      wake = Promise.withResolvers()
      if (signal.aborted) return
      const now = seen(registry)
      const changed = new Set([...now].filter(([id, mark]) => known.get(id) !== mark).map(([id]) => id))
      known = new Map([...known, ...now])
      if (changed.size === 0) continue
      for (const document of documentsView(registry()).documents) {
        if (changed.has(document.id)) yield { change: document.retired === null ? 'published' : 'retired', document }
      }
    }
  } finally {
    stop()
  }
}

/** By id a mark that differs when the document has changed. One whose bytes are on their way has none. */
function seen(registry: () => Registry): Map<string, string> {
  const { documents } = registry()
  const isSeen = ({ retired, digest }: DocumentRow): boolean => retired !== undefined || documents.bytes.has(digest)
  return new Map(
    documents
      .list()
      .filter(isSeen)
      .map((row) => [row.id, `${row.n} ${row.retired?.n ?? ''}`])
  )
}
