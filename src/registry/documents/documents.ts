import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TypedEventTarget } from 'main-event'
import { at } from '../../identity/bytes.ts'
import { keyId } from '../../identity/key-id.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import {
  ChangedMeanwhileError,
  LimitError,
  LogMismatchError,
  NotFoundError,
  NotRootError
} from '../../runtime/errors.ts'
import { clockSkewMs } from '../admission/limits.ts'
import type { Alarms } from '../alarms.ts'
import type { RegistryEvents } from '../events.ts'
import type { Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import type { DocumentRow } from '../log/state/network-state.ts'
import { readStoredEntry } from '../log/state/stored-entry.ts'
import type { LogEntry, Publish } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Database } from '../store/database.ts'
import { DocumentTable } from '../store/document-table.ts'
import type { GroupCommit } from '../store/group-commit.ts'
import { DocumentBytes } from './document-bytes.ts'
import { DocumentQueue } from './document-queue.ts'
import { isEntryOf, nextVersion, requirePublishable, sameVersion } from './publish-rules.ts'
import { type OpenedPublish, openPublish, publishOf, type SignedPublish } from './signed-publish.ts'
import { UnansweredPublishes } from './unanswered.ts'

/** Entries that are looked at between two turns of the event loop. */
const pageEntries = 500
/** A document waits no longer for the root: whoever still wants it has published it again. */
const waitingMs = 7 * 86_400_000
/** Versions that one publisher may enter at once, and how long it takes until another one may come. */
const burst = 100
const restMs = 1_000
/** Documents that an alarm names. */
const mostNamed = 5

export interface DocumentsInit {
  db: Database
  commit: GroupCommit
  replica: Replica
  clock: Clock
  alarms: Pick<Alarms, 'raise'>
  events: TypedEventTarget<RegistryEvents>
  /** There when this process may append to the log. */
  root: Root | undefined
}

/** Content that somebody publishes. */
export interface NewDocument {
  id: string
  mediaType: string
  bytes: Uint8Array
}

/** The end of a publish at the root. */
export interface Published {
  /** Envelope of the entry of this version. */
  entry: Uint8Array
  publish: Publish
  n: number
  /** false: just this was published before. */
  isNew: boolean
}

interface Appending {
  /** Counts the version against the rate of its publisher. */
  rest?: () => void
  /** Somebody at this machine publishes. */
  byPerson?: boolean
}

/** A publish or retire entry of one document. */
export type DocumentEntry = Signed<Extract<LogEntry, { kind: 'publish' | 'retire' }>>

/** The register of documents: what the log says of them, and their bytes. */
export class Documents {
  readonly bytes: DocumentBytes
  /** Documents that wait here for the root. */
  readonly queue: DocumentQueue
  /** Documents whose answer from the root was lost. */
  readonly unanswered = new UnansweredPublishes()
  readonly #init: DocumentsInit
  readonly #table: DocumentTable
  /** By publisher, when its burst is whole again. */
  readonly #restedAt = new Map<string, number>()

  constructor(init: DocumentsInit) {
    const { db, commit, replica, clock } = init
    this.#init = init
    this.#table = new DocumentTable(db)
    this.bytes = new DocumentBytes({
      table: this.#table,
      commit,
      state: () => replica.state,
      onDamaged: (digests) => this.#damaged(digests)
    })
    this.queue = new DocumentQueue({ table: this.#table, commit, clock })
    replica.events.addEventListener('entries', ({ detail }) => {
      if (detail.entries.some(({ value }) => value.kind === 'publish' || value.kind === 'retire')) this.#changed()
    })
    replica.events.addEventListener('reset', () => this.#changed())
  }

  #changed(): void {
    this.#init.events.dispatchEvent(new CustomEvent('documents'))
  }

  /** Newest version of each, by id. Retired ones are among them. */
  list(): DocumentRow[] {
    return [...this.#init.replica.state.documents()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** @throws NotFoundError */
  get(id: string): DocumentRow {
    const row = this.#init.replica.state.document(id)
    if (row === undefined) throw new NotFoundError(`there is no document ${id}: \`trustnet document list\` lists them`)
    return row
  }

  /** Entries about a document that are kept, oldest first. Those of old versions go when the log is compacted. @throws NotFoundError */
  async history(id: string): Promise<DocumentEntry[]> {
    this.get(id)
    const found: DocumentEntry[] = []
    for (let after = 0; ; ) {
      const page = this.#table.entries(after, pageEntries)
      for (const { n, envelope } of page) {
        after = n
        const entry = readStoredEntry(envelope)
        if (isAbout(entry, id)) found.push(entry)
      }
      if (page.length < pageEntries) return found
      await nextTurn()
    }
  }

  /** Publish entry of one version, with its place in the log. @throws NotFoundError */
  async entryOf(id: string, version: number): Promise<Publish & { n: number; timeMs: number }> {
    const row = this.get(id)
    if (row.version === version) return { ...row, documentVersion: version }
    for (const { value } of await this.history(id)) {
      const { n, timeMs } = value
      if (value.kind === 'publish' && value.body.documentVersion === version) return { ...value.body, n, timeMs }
    }
    throw new NotFoundError(
      `there is no version ${version} of ${id} here: \`trustnet document history ${id}\` lists those that are known`
    )
  }

  /** Takes bytes that were missing. @throws PublishRefusedError when they are others; StoreError */
  async put(digest: Uint8Array, bytes: Uint8Array): Promise<void> {
    await this.bytes.put(digest, bytes)
    this.#changed()
  }

  /** Publishes in the name of this node, which is the root; with the order of the operator of this machine. @throws as submit */
  async publish({ id, mediaType, bytes }: NewDocument): Promise<Published> {
    const { replica } = this.#init
    const { publicKey: publisherKey } = this.#requireRoot()
    const version = nextVersion(replica.state, id)
    return await this.#append(publishOf({ id, version, mediaType, publisherKey }, bytes), bytes, { byPerson: true })
  }

  /**
   * Enters what a publisher has signed; the same once more is answered with its entry.
   * @throws PublishRefusedError, ChangedMeanwhileError; NotRootError elsewhere than at the root; what opening and Root.append throw
   */
  async submit(signed: SignedPublish): Promise<Published> {
    const { replica, clock } = this.#init
    this.#requireRoot()
    const { publish, timeMs } = openPublish(signed, replica.networkId)
    const ageMs = clock.now() - timeMs
    if (ageMs > waitingMs || ageMs < -clockSkewMs) {
      throw new ChangedMeanwhileError(
        `${publish.id} was signed at ${new Date(timeMs).toISOString()}: publish it again, and compare the clocks`
      )
    }
    const rest = (): void => this.#rest(publish.publisherKey)
    return await this.#append(publish, signed.bytes, { rest })
  }

  /** @throws LimitError for a publisher that publishes without end: each version is an entry for all time */
  #rest(publisherKey: Uint8Array): void {
    const now = this.#init.clock.monotonic()
    for (const [each, restedAt] of this.#restedAt) if (restedAt <= now) this.#restedAt.delete(each)
    const key = keyId(publisherKey)
    const restedAt = (this.#restedAt.get(key) ?? now) + restMs
    if (restedAt > now + burst * restMs)
      throw new LimitError(`${burst} versions at once, then one in ${restMs} ms: wait`)
    this.#restedAt.set(key, restedAt)
  }

  async #append(publish: Publish, bytes: Uint8Array, { rest, byPerson = false }: Appending): Promise<Published> {
    const { replica } = this.#init
    const root = this.#requireRoot()
    const made = await this.#made(publish, bytes)
    if (made !== undefined) return made
    requirePublishable(replica.state, publish)
    rest?.()
    try {
      const inCommit = (): void => this.bytes.insert(publish.digest, bytes)
      const entries = await root.append([{ kind: 'publish', body: publish }], {
        inCommit,
        byOperator: byPerson && 'known'
      })
      this.bytes.inserted(publish.digest, bytes)
      const { bytes: entry, value } = at(entries, 0)
      return { entry, n: value.n, publish, isNew: true }
    } catch (error) {
      if (!(error instanceof LogMismatchError)) throw error
      // The state has changed between the look and the commit. The publisher and a secondary may have brought just this at once.
      return (await this.#made(publish, bytes)) ?? refused(error)
    }
  }

  /** The entry by which just this was published before. Bytes of a current version that are missing here are taken. */
  async #made(publish: Publish, bytes: Uint8Array): Promise<Published | undefined> {
    const { ledger, state } = this.#init.replica
    const same = sameVersion(state, publish)
    if (same !== undefined) {
      await this.bytes.put(publish.digest, bytes)
      const { n, version: documentVersion } = same
      return { entry: ledger.bytesOf(n), n, publish: { ...publish, documentVersion }, isNew: false }
    }
    const isOld = publish.documentVersion < nextVersion(state, publish.id)
    // A history may be long, and it is read for publishers alone.
    if (!isOld || !state.mayPublish(publish.publisherKey)) return undefined
    // Sent again, as its answer was lost, and others have published since.
    const found = (await this.history(publish.id)).find(({ value }) => isEntryOf(value, publish))
    return found && { entry: found.bytes, n: found.value.n, publish, isNew: false }
  }

  /** Opens a document that is to wait here, and judges it by what is known here. @throws as submit */
  judge(signed: SignedPublish): OpenedPublish {
    const { replica } = this.#init
    const opened = openPublish(signed, replica.networkId)
    requirePublishable(replica.state, opened.publish)
    return opened
  }

  /** Keeps a document here until the root has judged it. @throws as DocumentQueue.add */
  async keep(opened: OpenedPublish): Promise<void> {
    await this.queue.add(opened)
    this.#changed()
  }

  #requireRoot(): Root {
    const { root } = this.#init
    if (root === undefined || root.isReplaced) throw new NotRootError('only the root enters documents into the log')
    return root
  }

  #damaged(digests: readonly Uint8Array[]): void {
    const keys = new Set(digests.map(keyId))
    const rows = this.list().filter(({ retired, digest }) => retired === undefined && keys.has(keyId(digest)))
    const named = rows.slice(0, mostNamed).map(({ id, version }) => `${id} (version ${version})`)
    const more = rows.length > mostNamed ? `, and ${rows.length - mostNamed} more` : ''
    const what =
      named.length === 0
        ? 'an old version that nobody needs, which is gone here'
        : `${named.join(', ')}${more}; they are gone here and fetched again from any member`
    this.#init.alarms.raise(
      'document_damaged',
      `the disk has changed the bytes of documents: ${what}: check the disk`,
      { documents: rows.length }
    )
    this.#changed()
  }
}

const isAbout = (entry: Signed<LogEntry>, id: string): entry is DocumentEntry =>
  (entry.value.kind === 'publish' || entry.value.kind === 'retire') && entry.value.body.id === id

function refused({ message }: LogMismatchError): never {
  throw new ChangedMeanwhileError(`${message}: look again (\`trustnet document list\`), and decide anew`)
}
