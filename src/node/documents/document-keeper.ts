import type { PeerId } from '@libp2p/interface'
import { peerIdText } from '../../identity/keys.ts'
import type { BlockExchange } from '../../protocols/blocks/index.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { WaitingDocument } from '../../registry/documents/document-queue.ts'
import type { Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
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
    const isAhead = await this.#fetch(signal)
    await this.#sendQueued(signal)
    this.#isWhole = bytes.missing().length === 0
    if (isAhead || this.#isWhole) this.#backoff.reset()
    if (this.#isWhole) return queue.size > 0 ? rootMs : undefined
    return this.#backoff.next()
  }

  /** Fetches what is missing. True where some came. @throws StoreError when the disk takes nothing: nothing more is fetched then */
  async #fetch(signal: AbortSignal): Promise<boolean> {
    const { exchange, trust } = this.#init
    const sources = (): PeerId[] => [...trust.members()].map(({ connection }) => connection.remotePeer)
    const { documents } = this.#registry
    const missing = documents.bytes.missing()
    if (missing.length === 0 || sources().length === 0) return false
    let came = 0
    const storing: Promise<unknown>[] = []
    const failures: Error[] = []
    for await (const { digest, bytes } of exchange.fetch(missing, { sources, isUrgent: true, signal })) {
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
