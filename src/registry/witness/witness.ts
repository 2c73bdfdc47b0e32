import { equals } from 'uint8arrays/equals'
import type { SigningKey } from '../../identity/keys.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { maxStepMs } from '../../runtime/steady-clock.ts'
import type { Replica } from '../log/replica.ts'
import { comparePositions } from '../log/state/position.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Meta } from '../store/node-values.ts'
import { cosign } from './cosignature.ts'
import type { Cosignatures } from './cosignatures.ts'
import type { Mark, MarkFile } from './mark-file.ts'

/** Says in the store that this node has signed, so that a mark that is missing is missed. */
const begunKey = 'witness.begun'

export interface WitnessInit {
  replica: Replica
  key: SigningKey
  cosignatures: Cosignatures
  mark: MarkFile
  meta: Meta
  /** This store was restored from a backup and the heads of the others were not heard since. */
  isRestored: () => boolean
  clock: Clock
}

/** Outcome of one look at the newest checkpoint. */
export type Outcome =
  | { readonly kind: 'signed'; readonly checkpoint: Signed<Checkpoint>; readonly cosignature: Uint8Array }
  /** Nothing is to be signed now. */
  | { readonly kind: 'idle' }
  /** This node has signed another history than the one that it holds. */
  | { readonly kind: 'other-history'; readonly mark: Mark }
  /** It cannot be told whether what is held goes on from what was signed: the heads of all others are to be heard. */
  | { readonly kind: 'unknown-past' }

/**
 * The one who signs for this node. It never signs two histories: the place is on the disk before the signature leaves, and what is signed later goes
 * on from there.
 */
export class Witness {
  readonly #init: WitnessInit
  #mark: Mark | undefined
  #isRead = false
  /** Hash of the checkpoint that was signed last. */
  #signed: Uint8Array | undefined

  constructor(init: WitnessInit) {
    this.#init = init
  }

  /** Signs the newest checkpoint if that is due. `heardAll`: the heads of all others were heard. One call at a time. @throws StoreError */
  async sign(heardAll: boolean): Promise<Outcome> {
    const { replica, key, clock, cosignatures } = this.#init
    const { checkpoint } = replica
    if (checkpoint === undefined || !cosignatures.isEntitled(key.publicKey) || replica.isForked) return idle
    if (this.#signed !== undefined && equals(this.#signed, checkpoint.hash)) return idle
    const { epoch, n, headHash, timeMs } = checkpoint.value
    if (timeMs > clock.now() + maxStepMs) return idle
    await this.#read()
    if (this.#mark === undefined && this.#isMissed() && !heardAll) return { kind: 'unknown-past' }
    const mark = await this.#raised()
    const order = mark === undefined ? 1 : comparePositions(checkpoint.value, mark)
    // The signed checkpoint is not here yet.
    if (order < 0) return idle
    if (mark?.epoch === epoch) {
      const held = n === mark.n ? headHash : replica.linkHash(mark.n)
      if (held === undefined && !heardAll) return { kind: 'unknown-past' }
      if (held !== undefined && !equals(held, mark.headHash)) return { kind: 'other-history', mark }
    }
    if (order > 0) await this.#keep({ epoch, n, headHash })
    const cosignature = cosign(checkpoint, key, clock.now())
    this.#signed = checkpoint.hash
    await cosignatures.take(checkpoint.bytes, [cosignature])
    return { kind: 'signed', checkpoint, cosignature }
  }

  async #read(): Promise<void> {
    if (!this.#isRead) this.#mark = await this.#init.mark.read()
    this.#isRead = true
  }

  /** Others may show a later word of this node than its own disk does. */
  async #raised(): Promise<Mark | undefined> {
    const own = this.#init.cosignatures.by(this.#init.key.publicKey)?.checkpoint.value
    if (own !== undefined && (this.#mark === undefined || comparePositions(own, this.#mark) > 0)) {
      await this.#keep({ epoch: own.epoch, n: own.n, headHash: own.headHash })
    }
    return this.#mark
  }

  /** Words that the store itself holds of this node may be as old as a backup. */
  #isMissed(): boolean {
    return this.#init.isRestored() || this.#init.meta.get(begunKey) !== undefined
  }

  async #keep(mark: Mark): Promise<void> {
    await this.#init.mark.write(mark)
    this.#mark = mark
    if (this.#init.meta.get(begunKey) === undefined) await this.#init.meta.set(begunKey, Uint8Array.of(1))
  }
}

const idle: Outcome = { kind: 'idle' }
