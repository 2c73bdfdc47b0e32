import type {
  DocumentHistoryView,
  DocumentsView,
  DocumentView,
  PublishedView
} from '../../../src/node/api/control-api.ts'
import { root } from './control-views.ts'

const version = {
  id: 'plan',
  version: 2,
  mediaType: 'text/plain',
  sizeBytes: 6,
  digest: 'ab'.repeat(32),
  publisher: root,
  publishedMs: 1_700_000_000_000,
  entry: 9,
  held: true
}

export const documentsView: DocumentsView = {
  quotaBytes: 67_108_864,
  usedBytes: 6,
  missing: 0,
  publishers: [root],
  waiting: [{ id: 'next', version: 1, publisher: root, sinceMs: 1_700_000_000_000 }],
  documents: [
    { ...version, retired: null },
    { ...version, id: 'old', retired: { retiredMs: 1_700_000_100_000, reason: 'replaced', entry: 11 } }
  ]
}

export const documentView: DocumentView = { document: version, content: Buffer.from('second').toString('base64') }

export const documentHistoryView: DocumentHistoryView = {
  id: 'plan',
  history: [
    { kind: 'publish', atMs: 1_700_000_000_000, entry: 9, version: 2, published: version, reason: null },
    { kind: 'retire', atMs: 1_700_000_100_000, entry: 11, version: 2, published: null, reason: 'replaced' }
  ]
}

export const publishedView: PublishedView = {
  id: 'plan',
  version: 2,
  state: 'published',
  digest: 'ab'.repeat(32),
  entry: 9,
  message: 'version 2 of plan is published'
}
