import type { Connection } from '@libp2p/interface'
import type { Head } from '../../registry/log/state/network-state.ts'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import { onAbort, within } from '../../runtime/abort.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { DeadlineError, MalformedFrameError, StreamEndedError } from '../engine/errors.ts'
import type { FrameStream } from '../engine/frames.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, openStream, remoteKeyOf } from '../engine/protocol.ts'
import { errorOf, statuses } from '../engine/status.ts'
import { type Applied, Applier, type OpenedFrame } from './apply.ts'
import type { SyncCursors } from './cursors.ts'
import { syncModes, syncProtocol, syncVersion } from './descriptor.ts'
import { Patience } from './patience.ts'
import { type Cursor, SyncFrame, SyncRequest } from './pb/sync.ts'
import type { SyncTarget } from './source.ts'

export interface SyncOptions {
  limits: ProtocolLimits
  logger: Logger
  /** Stays open and is told every change. */
  subscribe: boolean
  /** false: the log alone. */
  records: boolean
  /** Remembers how far the records are known, from one call to the next. */
  cursors: SyncCursors
  signal?: AbortSignal
  /** The other side showed a checkpoint, which is of the log. */
  onShown?(checkpoint: Checkpoint): void
  /** All that the other side had when it was asked has been applied. */
  onCaughtUp?(summary: SyncSummary): void
}

/** Summary of a sync. */
export interface SyncSummary {
  mode: 'delta' | 'snapshot'
  /** New here; what was known already does not count. */
  entries: number
  records: number
  hints: number
  caughtUp: boolean
  /** Age of the other side's own replica at the start, ms. */
  replicaAgeMs: number
}

/**
 * Brings a replica up to another registry's. Everything is verified here, so any member may serve it. Without `subscribe` it resolves when
 * all was applied; with it, it goes on until it fails or the signal aborts, and rejects with the reason.
 *
 * @throws the registry's error for a refusal (WrongNetworkError, NotMemberError, UnavailableError …)
 * @throws DeadlineError nothing came for too long
 * @throws StreamEndedError the other side ended it, or went away
 * @throws LogMismatchError, ForkError, InvalidEnvelopeError what was sent is not right
 */
export async function sync(connection: Connection, target: SyncTarget, options: SyncOptions): Promise<SyncSummary> {
  const server = connection.remotePeer.toString()
  for (let retries = 0; ; retries++) {
    const hadPosition = target.replica.position().hash.length > 0
    try {
      return await new SyncSession(connection, target, options).run()
    } catch (error) {
      if (retries >= maxRetries) throw error
      // The other side's database was restored or replaced: our cursor means nothing there, what differs must be found.
      if (error instanceof StaleCursorError) options.cursors.delete(server)
      else if (!hadPosition || target.replica.position().hash.length > 0) throw error
      // Else a new epoch branched off where we cannot follow: a snapshot leads on.
    }
  }
}

/** A cursor of another store, and a log that cannot be followed. */
const maxRetries = 2

/** The cursor is of another store than the one that serves now. */
class StaleCursorError extends Error {
  override readonly name = 'StaleCursorError'
}

class SyncSession {
  readonly #connection: Connection
  readonly #target: SyncTarget
  readonly #options: SyncOptions
  readonly #applier: Applier
  readonly #server: string
  readonly #summary: SyncSummary = {
    mode: 'delta',
    entries: 0,
    records: 0,
    hints: 0,
    caughtUp: false,
    replicaAgeMs: 0
  }
  readonly #patience: Patience
  /** Monotonic: of the last frame that said something. */
  /** Generation of the cursors when the stream began. */
  #generation = 0
  #saidAt = performance.now()
  #shownMs = 0
  #started = false
  #asked: Head = { epoch: 0, n: 0, hash: new Uint8Array() }

  constructor(connection: Connection, target: SyncTarget, options: SyncOptions) {
    this.#connection = connection
    this.#target = target
    this.#options = options
    this.#server = connection.remotePeer.toString()
    this.#patience = new Patience(options.limits.sync)
    const serverKey = remoteKeyOf(connection)
    if (serverKey === undefined) throw new TypeError('a connection whose key is not Ed25519')
    this.#applier = new Applier(target, { serverKey, hears: options.subscribe, logger: options.logger })
  }

  async run(): Promise<SyncSummary> {
    const { limits, signal } = this.#options
    if (this.#recordsKnown().needsDigest) await this.#target.records.prepareDigest()
    const frames = await openStream(this.#connection, syncProtocol(limits), {
      limits,
      signal: within(limits.sync.progressMs, signal)
    })
    using _ = onAbort(signal, (reason) => frames.abort(reason))
    try {
      signal?.throwIfAborted()
      await frames.write(this.#request())
      await this.#readAll(frames)
      await frames.close()
      return this.#summary
    } catch (error) {
      frames.abort(error instanceof Error ? error : new StreamEndedError('the sync failed'))
      throw error
    } finally {
      this.#applier.end()
    }
  }

  /** Progress in the records of the other side. */
  #recordsKnown(): { cursor: Cursor | undefined; needsDigest: boolean } {
    const { records, cursors } = this.#options
    this.#generation = cursors.generation
    const cursor = records ? cursors.get(this.#server) : undefined
    return { cursor, needsDigest: records && cursor === undefined }
  }

  #request(): Uint8Array {
    const { replica, records, networkId } = this.#target
    const { cursor, needsDigest } = this.#recordsKnown()
    this.#asked = replica.position()
    const { epoch, n, hash } = this.#asked
    const staged = replica.staged()
    return SyncRequest.encode({
      version: syncVersion,
      networkId,
      epoch,
      n,
      hash,
      ...(cursor !== undefined && { cursor }),
      digest: needsDigest ? records.digest() : new Uint8Array(),
      subscribe: this.#options.subscribe,
      records: this.#options.records,
      ...carriedTrace(),
      ...(staged !== undefined &&
        staged.upTo >= 0 && { stagedEpoch: staged.epoch, stagedN: staged.n, stagedUpTo: staged.upTo })
    })
  }

  /** While one frame is stored the next one is verified, and no more: what waits meanwhile waits at the sender. */
  async #readAll(frames: FrameStream): Promise<void> {
    let storing: Promise<void> = Promise.resolve()
    try {
      for (;;) {
        // Frames that came before the abort are still there to be read.
        this.#options.signal?.throwIfAborted()
        // A failure must be found out before the next frame comes.
        if (frames.queued === 0) await storing
        if (this.#isDone()) return
        const bytes = await this.#nextFrame(frames)
        if (bytes === undefined) throw new StreamEndedError('the registry ended the sync; it goes on with the next one')
        const frame = decodeFrame((from) => SyncFrame.decode(from, { limits: decodeLimits }), bytes)
        this.#takeStart(frame)
        const opened = this.#applier.open(frame)
        await storing
        storing = this.#store(frame, bytes.length, opened)
        storing.catch(() => {})
        if (frame.caughtUp) await storing
      }
    } finally {
      await storing.catch(() => {})
    }
  }

  #isDone(): boolean {
    return this.#summary.caughtUp && !this.#options.subscribe
  }

  async #nextFrame(frames: FrameStream): Promise<Uint8Array | undefined> {
    const begunAt = performance.now()
    const late = () => frames.abort(new DeadlineError(`nothing that counts came for ${Math.round(waitMs)} ms`))
    const waitMs = this.#waitMs()
    const timer = setTimeout(late, waitMs)
    timer.unref()
    try {
      return await frames.read()
    } finally {
      clearTimeout(timer)
      if (!this.#summary.caughtUp) this.#patience.waited(performance.now() - begunAt)
    }
  }

  /** While catching up something has to move; a registry that is alive sends a checkpoint each minute afterwards. */
  #waitMs(): number {
    const { progressMs, silenceMs } = this.#options.limits.sync
    if (!this.#summary.caughtUp) return Math.min(progressMs, this.#patience.leftMs)
    return Math.max(0, silenceMs - (performance.now() - this.#saidAt))
  }

  async #store(frame: SyncFrame, bytes: number, opened: OpenedFrame): Promise<void> {
    const summary = this.#summary
    const count = await this.#applier.apply(opened)
    summary.entries += count.entries
    summary.records += count.records
    summary.hints += count.hints
    if (count.entries > 0) this.#patience.moved(bytes)
    else this.#patience.repeated(bytes)
    if (this.#says(frame, count)) this.#saidAt = performance.now()
    if (count.shown !== undefined) this.#options.onShown?.(count.shown)
    if (frame.cursor !== undefined && this.#options.records)
      this.#options.cursors.set(this.#server, frame.cursor, this.#generation)
    if (!frame.caughtUp || summary.caughtUp) return
    await this.#applier.caughtUp()
    summary.caughtUp = true
    this.#options.onCaughtUp?.(summary)
  }

  /** Tells whether it brought anything, or a newer checkpoint, or how somebody is. */
  #says({ caughtUp, hints }: SyncFrame, { entries, records, shown }: Applied): boolean {
    const isNewer = shown !== undefined && shown.timeMs > this.#shownMs
    if (isNewer) this.#shownMs = shown.timeMs
    return isNewer || caughtUp || entries + records + hints.length > 0
  }

  #takeStart({ start }: SyncFrame): void {
    if (start === undefined) {
      if (!this.#started) throw new MalformedFrameError('a sync that does not begin with its start')
      return
    }
    const { status, mode, replicaAgeMs, retryAfterMs } = start
    if (status === statuses.STALE) throw new StaleCursorError('the registry has another store now')
    // Also later on: a registry says so when it cannot go on.
    if (status !== statuses.OK) throw errorOf(status, `${this.#server} refused the sync`, { retryAfterMs })
    if (this.#started) throw new MalformedFrameError('a sync that begins twice')
    this.#started = true
    this.#summary.replicaAgeMs = replicaAgeMs
    if (mode === syncModes.snapshot) {
      this.#summary.mode = 'snapshot'
      this.#applier.beginSnapshot(this.#asked)
    } else if (mode !== syncModes.delta) {
      throw new UnavailableError(`${this.#server} serves the log in a way of a newer version`, newerRetryMs)
    }
  }
}

/** Another registry may serve it in a known way; this one is asked again when it is its turn. */
const newerRetryMs = 60_000

/** A frame of empty fields would otherwise become a hundred thousand objects. */
const decodeLimits = {
  delegations: 1_024,
  entries: 4_096,
  revokes: 1_024,
  cosignatures: 16,
  records: 4_096,
  hints: 1_024
}
