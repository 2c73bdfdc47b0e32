import { UnavailableError } from '../../runtime/errors.ts'
import type { EntryContent, LogEntry } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'

/** Entries of one transaction: more would hold the event loop for longer than a heartbeat's answer may take. */
export const maxBatchEntries = 500
/** Entries that wait for their transaction. */
const maxWaiting = 10_000
const retryMs = 1000

/** A kind and its body, without a place in the log yet. */
export type EntryDraft = Exclude<EntryContent, { kind: 'unknown' | 'delegate' | 'authority' }> & {
  /** Envelopes of the operators who caused it, when they have signed already. */
  readonly orders?: readonly Uint8Array[]
}

export interface AppendOptions {
  /** Writes of the caller in the same commit. When it throws, nothing is appended. */
  inCommit?: (() => void) | undefined
  /** The operator of this machine causes it, and signs; `known`: where the log has that one, as the entry needs no order. */
  byOperator?: boolean | 'known'
}

/** Entries that somebody asks for, all or none. */
export interface AppendRequest {
  readonly bodies: readonly EntryDraft[]
  readonly options: AppendOptions
  readonly resolve: (entries: Signed<LogEntry>[]) => void
  readonly reject: (error: unknown) => void
}

/** Result of one request in a commit. */
export type AppendOutcome = { readonly request: AppendRequest } & (
  | { readonly entries: Signed<LogEntry>[] }
  | { readonly error: unknown }
)

/** Requests to append that wait for their commit: those of one tick share it. */
export class AppendQueue {
  readonly #commit: (take: () => AppendRequest[]) => Promise<AppendOutcome[]>
  #waiting: AppendRequest[] = []
  #entries = 0
  #running: Promise<void> | undefined
  #isClosed = false

  /** `commit`: appends the batch that it takes at the last moment, so that all that was asked for until then shares the commit. */
  constructor(commit: (take: () => AppendRequest[]) => Promise<AppendOutcome[]>) {
    this.#commit = commit
  }

  /** Resolves when the entries are durable. @throws UnavailableError when too many wait, or when it was closed */
  add(bodies: readonly EntryDraft[], options: AppendOptions): Promise<Signed<LogEntry>[]> {
    if (this.#isClosed) return Promise.reject(new UnavailableError('the root is shutting down', retryMs))
    if (bodies.length > maxBatchEntries || this.#entries + bodies.length > maxWaiting) {
      return Promise.reject(new UnavailableError('too many entries wait to be signed: try again soon', retryMs))
    }
    const { promise, resolve, reject } = Promise.withResolvers<Signed<LogEntry>[]>()
    this.#waiting.push({ bodies, options, resolve, reject })
    this.#entries += bodies.length
    this.#running ??= this.#run()
    return promise
  }

  /** Takes nothing more, and waits for what is being appended. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#runBatch()
    this.#running = undefined
  }

  async #runBatch(): Promise<void> {
    let batch: AppendRequest[] = []
    try {
      const outcomes = await this.#commit(() => {
        batch = this.#takeBatch()
        return batch
      })
      for (const outcome of outcomes) {
        if ('error' in outcome) outcome.request.reject(outcome.error)
        else outcome.request.resolve(outcome.entries)
      }
    } catch (error) {
      const failed = batch.length > 0 ? batch : this.#takeBatch()
      for (const { reject } of failed) reject(error)
    }
  }

  #takeBatch(): AppendRequest[] {
    let entries = 0
    const end = this.#waiting.findIndex(({ bodies }) => {
      entries += bodies.length
      return entries > maxBatchEntries
    })
    const batch = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
    for (const { bodies } of batch) this.#entries -= bodies.length
    return batch
  }
}
