import { toString as text } from 'uint8arrays/to-string'
import { at } from '../../identity/bytes.ts'
import { peerIdText, type SigningKey } from '../../identity/keys.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import { isEntryOf, nextVersion, requirePublishable, sameVersion } from '../../registry/documents/publish-rules.ts'
import { publishOf, sealPublish } from '../../registry/documents/signed-publish.ts'
import type { Replica } from '../../registry/log/replica.ts'
import { entryKinds, openEntry, type Publish } from '../../registry/objects/entry.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { ChangedMeanwhileError, NotFoundError, PendingError } from '../../runtime/errors.ts'
import type { PublishedView, PublisherView, RetiredView } from '../api/document-views.ts'
import type { NetworkNode } from '../network-node.ts'
import { carryDocument, isJudged } from '../root/carry-document.ts'
import { keyOfPeerId, requireKeyEver } from '../views/peer-names.ts'
import { refOf } from '../views/refs.ts'

interface Publishing {
  id: string
  mediaType: string
  /** The bytes, base64. */
  content: string
}

interface Publisher {
  key: SigningKey
  clock: Clock
}

/**
 * Publishes the next version of a document in the name of this node: at the root at once, from elsewhere by way of the root; while that is away it
 * waits at a secondary, and here.
 * @throws PublishRefusedError, ChangedMeanwhileError, InvalidPayloadError; UnavailableError where neither root nor secondary answers
 */
export async function publishDocument(
  network: NetworkNode,
  { key, clock }: Publisher,
  { id, mediaType, content }: Publishing,
  signal: AbortSignal
): Promise<PublishedView> {
  const { documents, replica, root } = network.registry
  const bytes = Uint8Array.from(Buffer.from(content, 'base64'))
  if (root !== undefined && !root.isReplaced) {
    const { publish, n, isNew } = await documents.publish({ id, mediaType, bytes })
    return published(publish, n, isNew ? 'published' : 'unchanged')
  }
  const { state, head } = replica
  const publish = publishOf({ id, version: nextVersion(state, id), mediaType, publisherKey: key.publicKey }, bytes)
  const same = sameVersion(state, publish)
  if (same !== undefined) {
    // Entered by a try whose answer was lost: this is the answer.
    const word = documents.unanswered.take(publish) ? 'published' : 'unchanged'
    return published({ ...publish, documentVersion: same.version }, same.n, word)
  }
  requirePublishable(state, publish)
  const timeMs = clock.now()
  const place = { networkId: replica.networkId, epoch: head.epoch, seenN: head.n, timeMs }
  const document = sealPublish(publish, bytes, place, key)
  try {
    const { entries } = await carryDocument(network, document, signal)
    const n = entryOf(at(entries, 0), publish, replica)
    await documents.put(publish.digest, bytes)
    documents.unanswered.take(publish)
    return published(publish, n, 'published')
  } catch (error) {
    if (!isJudged(error)) documents.unanswered.add(publish)
    if (!(error instanceof PendingError)) throw error
    // This node brings it to the root, too, and so learns what becomes of it. At a secondary that publishes it is there already.
    await documents.keep({ ...document, publish, timeMs })
    return published(publish, null, 'waiting')
  }
}

/** Number of the entry that the root has made: signed by the log key, and for just this. @throws ChangedMeanwhileError for another one */
function entryOf(entry: Uint8Array, publish: Publish, { networkId, state }: Replica): number {
  const opened = openEntry(entry, networkId)
  if (state.keys.isOfLog(opened) && isEntryOf(opened.value, publish)) return opened.value.n
  throw new ChangedMeanwhileError(
    `the answer was another entry than one of the root for version ${publish.documentVersion} of ${publish.id}: look at \`trustnet document list\``
  )
}

const words = {
  published: 'is published',
  unchanged: 'is just this already: nothing was changed',
  waiting:
    'waits at a secondary and here, as the root is away: it is published when the root is back, or the alarm document_refused says here why not'
} as const

const published = (
  { id, documentVersion, digest }: Publish,
  entry: number | null,
  state: PublishedView['state']
): PublishedView => ({
  id,
  version: documentVersion,
  state,
  digest: text(digest, 'base16'),
  entry,
  message: `version ${documentVersion} of ${id} ${words[state]}`
})

/** Retires a document: it is current no more; of one that is retired it gives that entry. @throws NotFoundError, LogMismatchError */
export async function retireDocument(
  { documents }: Registry,
  { id, reason, plan = false }: { id: string; reason: string; plan?: boolean | undefined },
  author: Author
): Promise<RetiredView> {
  const { version, retired } = documents.get(id)
  if (retired !== undefined) {
    return { id, entry: retired.n, message: `version ${version} was retired before: publish it again to have it back` }
  }
  if (plan) return { id, entry: null, message: `version ${version} would be retired, and be current nowhere` }
  const entry = at(await author.append([{ kind: 'retire', body: { id, reason } }]), 0)
  return { id, entry: entry.value.n, message: `version ${version} is retired: it is current nowhere any more` }
}

type Who = { publisher: string; plan?: boolean | undefined }

/** Lets a key publish. @throws NotFoundError, RevokedError */
export async function allowPublisher(
  registry: Registry,
  { publisher, plan }: Who,
  author: Author
): Promise<PublisherView> {
  const publicKey = keyOfPeerId(publisher) ?? requireKeyEver(registry, publisher)
  const isOne = isPublisher(registry, publicKey)
  if (isOne) return saidOf(registry, publicKey, null, 'may publish documents already')
  if (plan === true) return saidOf(registry, publicKey, null, 'would be allowed to publish documents')
  const entry = at(await author.append([{ kind: 'publisher', body: { publicKey, removed: false } }]), 0)
  const { publishing } = registry.replica.state.policy
  const but = publishing === 'root' ? '; but the policy takes documents of the root alone (publishing: root)' : ''
  return saidOf(registry, publicKey, entry.value.n, `may publish documents${but}`)
}

/** Takes that back; what it has published stays. Of a key that was a publisher it gives the entry that took it back. @throws NotFoundError */
export async function removePublisher(
  registry: Registry,
  { publisher, plan }: Who,
  author: Author
): Promise<PublisherView> {
  const publicKey = keyOfPeerId(publisher) ?? requireKeyEver(registry, publisher)
  if (!isPublisher(registry, publicKey)) {
    const before = lastSaid(registry, publicKey)
    if (before !== undefined) {
      return saidOf(registry, publicKey, before, 'may not publish documents: that was taken back before')
    }
    throw new NotFoundError(`${publisher} is no publisher: \`trustnet document list --json\` names those who are`)
  }
  const message = 'may not publish documents any more; what it has published stays'
  if (plan === true) return saidOf(registry, publicKey, null, message.replace('may not', 'would not be allowed to'))
  const entry = at(await author.append([{ kind: 'publisher', body: { publicKey, removed: true } }]), 0)
  return saidOf(registry, publicKey, entry.value.n, message)
}

const isPublisher = ({ replica }: Registry, publicKey: Uint8Array): boolean =>
  replica.state.publishers().some((row) => peerIdText(row.publicKey) === peerIdText(publicKey))

/** Number of the newest entry about a key as a publisher, as long as it is in the store. */
const lastSaid = ({ replica }: Registry, publicKey: Uint8Array): number | undefined =>
  replica.ledger.table.about(publicKey).findLast(({ kind }) => kind === entryKinds.publisher)?.n

const saidOf = (registry: Registry, publicKey: Uint8Array, entry: number | null, message: string): PublisherView => ({
  ...refOf(registry, publicKey),
  entry,
  message
})
