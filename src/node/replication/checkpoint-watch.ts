import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { HelloProven } from '../../protocols/hello/index.ts'
import { positionOf } from '../../protocols/register/index.ts'
import type { Replica } from '../../registry/log/replica.ts'
import type { Cosignatures } from '../../registry/witness/cosignatures.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { ForkError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { ShownHeads } from './shown-heads.ts'

/** Fetches what is missing here. */
export interface Puller {
  /** True when somebody pushes every change to this process. */
  readonly follows: boolean
  /** Asks somebody now, `from` when it is connected. */
  pull(from?: Uint8Array): void
}

export interface CheckpointWatchInit {
  replica: Replica
  cosignatures: Pick<Cosignatures, 'take'>
  clock: Clock
  logger: Logger
  sync: () => Puller | undefined
  /** A checkpoint was refused. */
  onFailed: (source: Uint8Array, error: unknown) => void
  /** Somebody's head was compared with ours. */
  onHeard: () => void
}

/** A push comes sooner. */
const pushPatienceMs = 2_000

/** Compares the heads that others show with our own, and fetches what is missing here. */
export class CheckpointWatch {
  /** Members whose newest checkpoint was compared with ours since the start: PeerId and role. */
  readonly heard = new Map<string, Role>()
  /** The head that each member has shown last: in a hello, with a heartbeat, or in a sync. */
  readonly positions: ShownHeads
  readonly #init: CheckpointWatchInit
  #judging: Promise<unknown> = Promise.resolve()
  readonly #over = new AbortController()
  #isCatchingUp = false

  constructor(init: CheckpointWatchInit) {
    this.#init = init
    this.positions = new ShownHeads(init)
  }

  stop(): void {
    this.#over.abort(new Error('the node stops'))
  }

  /** A member proved itself. One that shows no checkpoint is not heard: what it holds is its secret. */
  async proven(proven: Pick<HelloProven, 'hello' | 'member'>): Promise<void> {
    const judged = this.#proven(proven)
    this.#judging = Promise.allSettled([this.#judging, judged])
    await judged
  }

  /** Resolves when what members have shown so far was compared. */
  async settled(): Promise<void> {
    await this.#judging
  }

  async #proven({ hello, member }: Pick<HelloProven, 'hello' | 'member'>): Promise<void> {
    const isJudged =
      hello.checkpoint.byteLength > 0 &&
      (await this.shown(hello.checkpoint.slice(), member.publicKey, hello.cosignatures))
    // Nothing was compared: its epoch may be unknown here.
    if (!isJudged) return
    this.heard.set(peerIdText(member.publicKey), member.role)
    this.#init.onHeard()
  }

  /** The same as `shown`, in the background. */
  look(checkpoint: Uint8Array, from?: Uint8Array, words: readonly Uint8Array[] = []): void {
    inBackground(this.shown(checkpoint, from, words), 'looking at a shown checkpoint')
  }

  /**
   * A checkpoint that somebody showed, with words of witnesses about it: taken when it stands on what is held, else the entries before it are fetched.
   * false: it could not be compared with what is held.
   */
  async shown(checkpoint: Uint8Array, from?: Uint8Array, words: readonly Uint8Array[] = []): Promise<boolean> {
    const { replica, clock, logger, cosignatures } = this.#init
    const at = clock.monotonic()
    try {
      const judged = await replica.observe(checkpoint)
      await cosignatures.take(checkpoint, words)
      const position = positionOf(checkpoint)
      if (from !== undefined && position !== undefined) this.positions.note(from, position, at)
      if (judged === 'newer') await this.#catchUp(checkpoint, from)
      return true
    } catch (error) {
      // Its words show which witnesses stand for two histories.
      if (error instanceof ForkError) await cosignatures.take(checkpoint, words).catch(() => {})
      const fields = { error: String(error), ...(from !== undefined && { peer: peerIdText(from) }) }
      logger.debug(fields, 'a checkpoint that was shown could not be used: whoever is followed is asked')
      if (from !== undefined) this.#init.onFailed(from, error)
      const sync = this.#init.sync()
      if (sync?.follows === false) sync.pull(from)
      return false
    }
  }

  /** The push brings it in a moment; if not, the registry that is followed stands still, and another one is asked. */
  async #catchUp(checkpoint: Uint8Array, from: Uint8Array | undefined): Promise<void> {
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    const { signal } = this.#over
    try {
      if (this.#init.sync()?.follows === true) await sleep(pushPatienceMs, signal).catch(() => {})
      // The store may be closed by now.
      if (!signal.aborted && (await this.#init.replica.observe(checkpoint)) === 'newer') this.#init.sync()?.pull(from)
    } finally {
      this.#isCatchingUp = false
    }
  }
}
