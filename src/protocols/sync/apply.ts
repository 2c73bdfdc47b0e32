import { peerIdText } from '../../identity/keys.ts'
import { OtherAuthorityError } from '../../registry/log/epochs/authority-revocations.ts'
import type { VerifiedEntries } from '../../registry/log/replica.ts'
import { maxDelegations } from '../../registry/log/state/delegations.ts'
import type { Head } from '../../registry/log/state/network-state.ts'
import { comparePositions } from '../../registry/log/state/position.ts'
import { type Checkpoint, openCheckpointAsync } from '../../registry/objects/checkpoint.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import {
  ForkError,
  LimitError,
  LogMismatchError,
  NotMemberError,
  RevokedError,
  StaleRecordError,
  UnsupportedVersionError
} from '../../runtime/errors.ts'
import { fromHintMessage } from './hint-message.ts'
import type { SyncFrame } from './pb/sync.ts'
import type { SyncTarget } from './source.ts'

export interface Applied {
  entries: number
  records: number
  hints: number
  /** A checkpoint that came with it. */
  shown: Checkpoint | undefined
}

/** A frame on its way into the store. */
export interface OpenedFrame {
  readonly frame: SyncFrame
  readonly hasLog: boolean
  readonly verified: Promise<VerifiedEntries> | undefined
  readonly records: Promise<number> | undefined
}

/** A record that is not taken for these reasons is nobody's fault: views differ while they converge. */
const harmless = [StaleRecordError, NotMemberError, RevokedError, LimitError, UnsupportedVersionError] as const

export interface ApplierInit {
  /** Raw key of the other side. */
  serverKey: Uint8Array
  /** True when its hints are listened to: a subscription tells them, a pull has none. */
  hears: boolean
  logger: Logger
}

/** Applies frames to a registry, which verifies everything. */
export class Applier {
  readonly #target: SyncTarget
  readonly #serverKey: Uint8Array
  readonly #server: string
  readonly #hears: boolean
  readonly #logger: Logger
  #snapshot = false
  /** Head of this replica when the snapshot was asked for. */
  #asked: Head | undefined
  /** Delegations of the snapshot that comes. */
  #delegations: Uint8Array[] = []
  /** Frames with entries that were opened and are not stored yet. */
  #logs = 0

  constructor(target: SyncTarget, { serverKey, hears, logger }: ApplierInit) {
    this.#target = target
    this.#serverKey = serverKey
    this.#server = peerIdText(serverKey)
    this.#hears = hears
    this.#logger = logger
  }

  /** Begins a snapshot: what comes now is what still counts of the log, with gaps, and nothing of it is visible before its root was verified. */
  beginSnapshot(asked: Head): void {
    this.#snapshot = true
    this.#asked = asked
  }

  /** Begins with what needs nothing of the frames before this one, while those are stored: its failure shows in `apply`. */
  open(frame: SyncFrame): OpenedFrame {
    if (this.#snapshot) this.#keepDelegations(frame)
    const hasLog = frame.entries.length > 0 || frame.checkpoint.length > 0
    const verified = hasLog && !this.#snapshot ? this.#verify(frame) : undefined
    // Whose record it is only the log before it can tell.
    const records = hasLog || this.#logs > 0 ? undefined : this.#applyRecords(frame.records)
    if (hasLog) this.#logs++
    for (const begun of [verified, records]) begun?.catch(() => {})
    return { frame, hasLog, verified, records }
  }

  #keepDelegations({ delegations }: SyncFrame): void {
    if (this.#delegations.length + delegations.length > maxDelegations) {
      throw new LimitError(`more than ${maxDelegations} delegations are not looked at`)
    }
    this.#delegations.push(...delegations)
  }

  /** Frames in the order in which they came, one at a time. */
  async apply(opened: OpenedFrame): Promise<Applied> {
    const { frame, hasLog } = opened
    const entries = hasLog ? await this.#applyOrAccuse(opened) : 0
    if (hasLog) this.#logs--
    if (frame.checkpoint.length > 0) await this.#target.cosignatures.take(frame.checkpoint, frame.cosignatures)
    for (const envelope of frame.revokes) await this.#enforce(envelope)
    return {
      entries,
      records: await (opened.records ?? this.#applyRecords(frame.records)),
      hints: this.#applyHints(frame),
      shown: (await opened.verified)?.checkpoint?.value
    }
  }

  async #applyOrAccuse(opened: OpenedFrame): Promise<number> {
    try {
      return await this.#applyLog(opened)
    } catch (error) {
      const { checkpoint, cosignatures } = opened.frame
      // Its words show which witnesses stand for two histories.
      if (error instanceof ForkError) await this.#target.cosignatures.take(checkpoint, cosignatures).catch(() => {})
      throw error
    }
  }

  /** Nothing more comes. */
  end(): void {
    this.#target.replica.leaveStage(this.#server)
  }

  /** @throws LogMismatchError the other side says that it has sent all, and has not */
  async caughtUp(): Promise<void> {
    if (!this.#snapshot) return
    // A snapshot with a hole cannot be gone on with: the next sync begins anew.
    await this.#target.replica.dropStaged(this.#server)
    throw new LogMismatchError('the registry says that it sent its snapshot, but some of it is missing')
  }

  #verify({ entries, checkpoint }: SyncFrame): Promise<VerifiedEntries> {
    return this.#target.replica.verify(entries, checkpoint.length === 0 ? undefined : checkpoint)
  }

  async #applyLog({ frame, verified }: OpenedFrame): Promise<number> {
    const { entries, checkpoint } = frame
    const { replica } = this.#target
    if (this.#snapshot) {
      if (checkpoint.length > 0) await this.#requireNewer(checkpoint)
      const before = checkpoint.length > 0 ? 0 : (replica.staged()?.rows ?? 0)
      const options = { delegations: this.#delegations, from: this.#server }
      const { done, rows } = await replica.stage(entries, checkpoint.length === 0 ? undefined : checkpoint, options)
      if (done) this.#snapshot = false
      return rows - before
    }
    return (await replica.follow(await (verified ?? this.#verify(frame)))).applied
  }

  async #enforce(envelope: Uint8Array): Promise<void> {
    const { replica } = this.#target
    try {
      if (await replica.authorityRevocations.enforce(envelope)) {
        this.#logger.warn({ peer: this.#server }, 'the authority has shut a key out: that is in force at once')
      }
    } catch (error) {
      const isHarmless = error instanceof OtherAuthorityError || harmless.some((each) => error instanceof each)
      if (!isHarmless) throw error
      this.#logger.debug({ peer: this.#server, error: String(error) }, 'a revoke beside the log was not taken')
    }
  }

  /** Checks that the sender holds more than we did when we asked: an older snapshot would take entries back. @throws LogMismatchError */
  async #requireNewer(checkpoint: Uint8Array): Promise<void> {
    const { networkId } = this.#target
    const { value } = await openCheckpointAsync(checkpoint, networkId)
    const { epoch, n } = value
    const asked = this.#asked
    if (asked === undefined || asked.hash.length === 0 || comparePositions(value, asked) > 0) return
    throw new LogMismatchError(
      `an older snapshot was sent, of entry ${n} of epoch ${epoch}, where entry ${asked.n} of epoch ${asked.epoch} is held`
    )
  }

  /** Verified side by side in the thread pool and committed together. */
  async #applyRecords(records: Uint8Array[]): Promise<number> {
    const results = await Promise.allSettled(records.map((envelope) => this.#put(envelope)))
    let accepted = 0
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason
      if (result.value) accepted++
    }
    return accepted
  }

  async #put(envelope: Uint8Array): Promise<boolean> {
    const { records } = this.#target
    try {
      return (await records.put(envelope, { source: 'sync', asker: this.#server, hold: false })).accepted
    } catch (error) {
      if (!harmless.some((each) => error instanceof each)) throw error
      // Its admission may be on its way from another side: the record waits for it, the sync does not.
      if (error instanceof NotMemberError)
        records.put(envelope, { source: 'sync', asker: this.#server }).catch(() => {})
      return false
    }
  }

  #applyHints({ hints }: SyncFrame): number {
    let merged = 0
    if (!this.#hears) return merged
    for (const message of hints) {
      const hint = fromHintMessage(message)
      if (hint === undefined) this.#logger.debug({ peer: this.#server }, 'a hint of a newer version is left out')
      else if (this.#target.liveness.hear(hint, this.#serverKey)) merged++
    }
    return merged
  }
}
