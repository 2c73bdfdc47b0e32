import { z } from 'zod'
import { answer, type Body, peerId, peerRef, plan, text, textOrNull, time, whole, wholeOrNull } from './parts.ts'

// The JSON answers about the register of documents.

/** 256 KiB in base64. */
const maxContentChars = 349_528

export const idInput = { id: text.min(1).max(128) }
export const versionInput = { ...idInput, version: z.int().min(1).optional() }
export const publishInput = {
  ...idInput,
  mediaType: text.min(1).max(127),
  content: z.base64().max(maxContentChars).describe('at most 256 KiB, base64')
}

export const retireInput = { ...idInput, reason: text.max(256), plan: plan.optional() }
export const publisherInput = { publisher: text.min(1).max(256), plan: plan.optional() }

const version = z.object({
  id: text,
  version: whole,
  mediaType: text,
  sizeBytes: whole,
  digest: text.describe('SHA-256 of the bytes, base16'),
  publisher: peerRef,
  publishedMs: time('published'),
  entry: whole.describe('number of its log entry'),
  held: z.boolean().describe('the bytes are here; false: they are fetched, or not kept any more')
})

const retired = z.object({ retiredMs: time('retired'), reason: text, entry: whole.describe('number of the log entry') })

const documentRow = version.extend({ retired: retired.nullable().describe('null: it is current') })

const waiting = z.object({
  id: text,
  version: whole,
  publisher: peerRef,
  sinceMs: time('since')
})

export const documentsView = answer('documents', 'trustnet document list --json', {
  quotaBytes: whole.describe('what all current documents may have together'),
  usedBytes: whole,
  missing: whole.describe('current documents whose bytes are not here yet'),
  publishers: z.array(peerRef).describe('who may publish besides the root, where the policy lets them'),
  waiting: z.array(waiting).describe('documents that wait here for the root'),
  documents: z.array(documentRow)
})

export const documentView = answer('document', 'trustnet document show --json', {
  document: version,
  content: text.describe('the bytes, base64')
})

export const documentHistoryView = answer('document-history', 'trustnet document history --json', {
  id: text,
  history: z
    .array(
      z.object({
        kind: z.enum(['publish', 'retire']),
        atMs: time('entered into the log'),
        entry: whole,
        version: whole.describe('that was published, or that was the newest when it was retired'),
        published: version.nullable().describe('null: it was retired'),
        reason: textOrNull.describe('why it was retired')
      })
    )
    .describe('oldest first; a compacted log has forgotten old versions')
})

export const publishedView = answer('document-published', 'trustnet document publish --json', {
  id: text,
  version: whole,
  state: z.enum(['published', 'unchanged', 'waiting']).describe('waiting: at a secondary, for the root'),
  digest: text.describe('SHA-256 of the bytes, base16'),
  entry: wholeOrNull.describe('number of the log entry; null: it waits'),
  message: text
})

export const retiredView = answer('document-retired', 'trustnet document retire --json', {
  id: text,
  entry: wholeOrNull.describe('number of the log entry; null: it was only planned'),
  message: text
})

export const publisherView = answer('publisher', 'trustnet document allow-publisher|remove-publisher --json', {
  peerId,
  name: textOrNull.describe('name in the log; null: no member'),
  entry: wholeOrNull.describe('number of the log entry; null: none was needed, or it was only planned'),
  message: text
})

export type DocumentsView = Body<typeof documentsView>
export type DocumentView = Body<typeof documentView>
export type DocumentHistoryView = Body<typeof documentHistoryView>
export type PublishedView = Body<typeof publishedView>
export type RetiredView = Body<typeof retiredView>
export type PublisherView = Body<typeof publisherView>
export type DocumentVersion = z.infer<typeof version>
