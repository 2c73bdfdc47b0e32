import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Replica } from '../log/replica.ts'
import type { Head } from '../log/state/network-state.ts'
import { compareCheckpoints } from '../log/state/position.ts'
import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Cosignature } from './cosignature.ts'
import { isWitness, maxWitnesses } from './entitled.ts'
import type { CosignedCheckpoint, Word } from './words.ts'

/** Cosignatures in one message: of each witness one. */
export const maxCosignatures = maxWitnesses
/** Last words that are kept of keys that are witnesses no more, beside those that are asked here. */
const maxFormer = 64

interface Kept {
  readonly revision: number
  readonly head: Head
  readonly present: readonly Word[]
  readonly former: readonly Word[]
}

/** The newest word of each witness, whose place in the history covers all places before it. */
export class HeldWords {
  readonly #replica: Replica
  /** By key of the witness. */
  readonly #words = new Map<string, Word>()
  /** PeerIds of those whose words are needed, also of some who are no witnesses any more. */
  #asked: ReadonlySet<string> = new Set()
  #revision = 0
  #kept: Kept | undefined

  constructor(replica: Replica) {
    this.#replica = replica
  }

  ask(asked: ReadonlySet<string>): void {
    this.#asked = asked
  }

  isAsked(publicKey: Uint8Array): boolean {
    return this.#asked.has(peerIdText(publicKey)) && !this.#replica.state.isRevoked(publicKey)
  }

  of(witness: Uint8Array): Word | undefined {
    return this.#words.get(keyId(witness))
  }

  values(): readonly Word[] {
    return [...this.#words.values()]
  }

  put(checkpoint: Signed<Checkpoint>, cosignature: Cosignature, heardMs: number): void {
    const id = peerIdText(cosignature.witness)
    this.#words.set(keyId(cosignature.witness), { checkpoint, cosignature, id, heardMs, revision: ++this.#revision })
    const spare = this.#split().former.filter(({ cosignature: { witness } }) => !this.isAsked(witness))
    if (spare.length <= maxFormer) return
    const oldest = spare.reduce((a, b) => (a.revision < b.revision ? a : b))
    this.#words.delete(keyId(oldest.cosignature.witness))
    this.forget()
  }

  dropUnless(isHeld: (checkpoint: Signed<Checkpoint>) => boolean): void {
    for (const [key, { checkpoint }] of this.#words) if (!isHeld(checkpoint)) this.#words.delete(key)
    this.forget()
  }

  /** Counts anew: who is shut out has changed. */
  forget(): void {
    this.#kept = undefined
  }

  /** Words of those that are witnesses now. */
  present(): readonly Word[] {
    return this.#split().present
  }

  /** Words also of those that were witnesses: they stand for the entries by which they are none any more. */
  all(): readonly Word[] {
    const { present, former } = this.#split()
    return former.length === 0 ? present : [...present, ...former]
  }

  /** Asked for each reader that is told of them. */
  #split(): Kept {
    const { state, head } = this.#replica
    if (this.#kept?.revision === this.#revision && this.#kept.head === head) return this.#kept
    const { present = [], former = [] } = Object.groupBy(
      this.values().filter(({ cosignature }) => !state.isRevoked(cosignature.witness)),
      ({ cosignature }) => (isWitness(state, cosignature.witness) ? 'present' : 'former')
    )
    this.#kept = { revision: this.#revision, head, present, former }
    return this.#kept
  }

  /** Cosignatures of one checkpoint. */
  about({ hash }: Signed<Checkpoint>): Uint8Array[] {
    return this.all()
      .filter(({ checkpoint }) => equals(checkpoint.hash, hash))
      .slice(0, maxCosignatures)
      .map(({ cosignature }) => cosignature.bytes)
  }

  /**
   * Checkpoints with words that came behind a revision, ascending, and the revision for the next time. 0: all, also the last words of those that are
   * witnesses no more, for a reader who has not seen the entries by which they are none.
   */
  since(revision: number): { checkpoints: CosignedCheckpoint[]; revision: number } {
    if (revision === this.#revision) return { checkpoints: [], revision }
    const news = this.all().filter((word) => word.revision > revision)
    const checkpoints = [...Map.groupBy(news, ({ checkpoint }) => keyId(checkpoint.hash)).values()]
      .flatMap(inMessages)
      .toSorted((a, b) => compareCheckpoints(a.checkpoint.value, b.checkpoint.value))
    return { checkpoints, revision: this.#revision }
  }
}

/** Words about one checkpoint, as many in one message as are looked at. */
function inMessages(words: readonly Word[]): CosignedCheckpoint[] {
  const [first] = words
  if (first === undefined) return []
  const cosignatures = words.slice(0, maxCosignatures).map(({ cosignature }) => cosignature.bytes)
  return [{ checkpoint: first.checkpoint, cosignatures }, ...inMessages(words.slice(maxCosignatures))]
}
