import type { PeerId } from '@libp2p/interface'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { BlockExchange } from '../../protocols/blocks/index.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { WaitingDocument } from '../../registry/documents/document-queue.ts'
import type { Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { Backoff } from '../../runtime/backoff.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { isEntered, isJudged } from '../root/carry-document.ts'
import { askRoot, type OrderCarrier } from '../root/way-to-root.ts'

export interface DocumentKeeperInit {
  carrier: OrderCarrier
  exchange: BlockExchange & AsyncDisposable
  /** Connected members are asked. */
  trust: Pick<ConnectionTrust, 'members' | 'onMember'>
}

const everyMs = 60_000
/** A document that waits for the root is brought there within this time of its return, also where nobody tells of it. */
const rootMs = 10_000
/** Documents that are stored at once; the others wait on their way. */
const mostStoring = 64
/** Fetches at once: one that waits for a silent member, who alone has what it wants, holds back none of what is published meanwhile. */
const mostFetches = 8

/**
 * Keeps the bytes of all current documents here: checks them after a start, fetches what is missing from any member, and brings what waits here to
 * the root.
 */
export class DocumentKeeper {
  readonly #init: DocumentKeeperInit
  readonly #registry: Registry
  readonly #backoff = new Backoff({ initialMs: 500, maxMs: everyMs, multiplier: 2 })
  #running: Running | undefined
  #forgetTrust = (): void => {}
  #isChecked = false
  /** Nothing is missing, as far as was looked. */
  #isWhole = false
  /** Documents that are being fetched, by digest, and the fetches. */
  readonly #coming = new Set<string>()
  readonly #fetches = new Set<Promise<void>>()
  /** Documents that nobody gave: they are left out once. */
  readonly #resting = new Set<string>()
  /** The disk took nothing. */
  #failure: Error | undefined

  constructor(init: DocumentKeeperInit) {
    this.#init = init
    this.#registry = init.carrier.registry
  }

  start(services: Supervisor): void {
    this.#running = services.run('documents', { everyMs, firstMs: 0, round: (signal) => this.#round(signal) })
    this.#registry.events.addEventListener('documents', this.#onChange)
    this.#forgetTrust = this.#init.trust.onMember(() => this.#connected())
  }

  async stop(): Promise<void> {
    this.#registry.events.removeEventListener('documents', this.#onChange)
    this.#forgetTrust()
    await Promise.all([this.#init.exchange[Symbol.asyncDispose](), this.#running?.stop()])
    await Promise.all(this.#fetches)
  }

  readonly #onChange = (): void => this.#running?.wake()

  /** Somebody is connected who may have what is missing, or take what waits. */
  #connected(): void {
    if (!this.#isWhole || this.#registry.documents.queue.size > 0) this.#running?.wake()
  }

  async #round(signal: AbortSignal): Promise<number | undefined> {
    const { bytes, queue } = this.#registry.documents
    if (!this.#isChecked) {
      await bytes.check(signal)
      this.#isChecked = true
    }
    await bytes.prune()
    this.#begin(signal)
    await this.#sendQueued(signal)
    this.#isWhole = bytes.missing().length === 0
    if (this.#isWhole) this.#backoff.reset()
    if (this.#isWhole) return queue.size > 0 ? rootMs : undefined
    // The end of a fetch wakes it.
    return this.#waiting().length === 0 ? undefined : this.#backoff.next()
  }

  /** Begins to fetch what is missing and not on its way. @throws StoreError when the disk took nothing: nothing more is fetched then */
  #begin(signal: AbortSignal): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
    const missing = this.#waiting().filter((digest) => !this.#resting.has(keyId(digest)))
    this.#resting.clear()
    if (missing.length === 0 || this.#fetches.size >= mostFetches || this.#sources().length === 0) return
    const work = this.#fetchAll(missing, signal).finally(() => this.#fetches.delete(work))
    this.#fetches.add(work)
    inBackground(work, 'fetching documents')
  }

  /** Missing, and not on their way. */
  #waiting(): Uint8Array[] {
    return this.#registry.documents.bytes.missing().filter((digest) => !this.#coming.has(keyId(digest)))
  }

  readonly #sources = (): PeerId[] => [...this.#init.trust.members()].map(({ connection }) => connection.remotePeer)

  async #fetchAll(missing: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const keys = missing.map(keyId)
    for (const key of keys) this.#coming.add(key)
    let hasCome = false
    try {
      hasCome = await this.#fetch(missing, signal)
      if (hasCome) this.#backoff.reset()
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(reasonOf(error))
    }
    for (const key of keys) {
      this.#coming.delete(key)
      if (!hasCome) this.#resting.add(key)
    }
    if (!signal.aborted) this.#running?.wake()
  }

  /** True where some came. @throws StoreError when the disk takes nothing */
  async #fetch(missing: readonly Uint8Array[], signal: AbortSignal): Promise<boolean> {
    const { documents } = this.#registry
    let came = 0
    const storing: Promise<unknown>[] = []
    const failures: Error[] = []
    const options = { sources: this.#sources, isUrgent: true, signal }
    for await (const { digest, bytes } of this.#init.exchange.fetch(missing, options)) {
      came++
      // Nobody waits for it while the next one is on its way: its failure is kept.
      storing.push(documents.put(digest, bytes).catch((error: Error) => failures.push(error)))
      if (storing.length >= mostStoring) await Promise.all(storing.splice(0))
      if (failures.length > 0) break
    }
    await Promise.all(storing)
    const [failure] = failures
    if (failure !== undefined) throw failure
    return came > 0
  }

  async #sendQueued(signal: AbortSignal): Promise<void> {
    const { documents, root } = this.#registry
    for (const waiting of documents.queue.list()) {
      signal.throwIfAborted()
      try {
        if (root !== undefined && !root.isReplaced) await documents.submit(waiting.signed)
        else if (!(await this.#askRoot(waiting, signal))) return
      } catch (error) {
        signal.throwIfAborted()
        // A document that the root cannot take now it takes later, and the others wait for the same.
        if (!isJudged(error)) return
        this.#tellRefused(waiting, error)
      }
      await documents.queue.drop(waiting)
    }
  }

  /** False when the answer is no entry of the log: it waits on. */
  async #askRoot({ signed }: WaitingDocument, signal: AbortSignal): Promise<boolean> {
    const { carrier } = this.#init
    const answer = await askRoot(carrier, { document: signed }, within(rootMs, signal))
    return isEntered(carrier.registry, answer)
  }

  #tellRefused(waiting: WaitingDocument, error: unknown): void {
    const { id, version, publisherKey } = waiting
    const { alarms, replica } = this.#registry
    const peer = peerIdText(publisherKey)
    const name = replica.state.member(publisherKey)?.name ?? peer
    alarms.raise(
      'document_refused',
      `version ${version} of the document ${id}, which waited here for the root, was refused (${this.#whyRefused(waiting, error)}): nothing of it was published; ${name} has the content, and publishes it again when it may`,
      { id, version, peer }
    )
  }

  /** The root says no more than a status; what is known here says why, in most cases. */
  #whyRefused({ signed }: WaitingDocument, error: unknown): string {
    try {
      this.#registry.documents.judge(signed)
      return reasonOf(error)
    } catch (known) {
      return reasonOf(known)
    }
  }
}
