import type { Checkpoint } from '../objects/checkpoint.ts'
import type { Signed } from '../objects/envelope.ts'
import type { Cosignature } from './cosignature.ts'

/** The newest that one witness has said. */
export interface Word extends Spoken {
  /** PeerId of the witness. */
  readonly id: string
  /** When it came here, ms since 1970. */
  readonly heardMs: number
  /** Place among all words that came here. */
  readonly revision: number
}

/** A checkpoint with what witnesses say of it. */
export interface CosignedCheckpoint {
  readonly checkpoint: Signed<Checkpoint>
  readonly cosignatures: readonly Uint8Array[]
}

/** The newest checkpoint for which enough witnesses stand. */
export interface Witnessed {
  readonly checkpoint: Signed<Checkpoint>
  /** Witnesses that stand for it, and all that there are. */
  readonly by: number
  readonly of: number
  /** From its signature until the last one that was needed came here. */
  readonly afterMs: number
}

/** Words of one witness about two histories of one epoch. */
export interface Lie {
  readonly witness: Uint8Array
  readonly held: Spoken
  /** About a place that the held history has otherwise. */
  readonly other: Spoken
}

export interface Spoken {
  readonly checkpoint: Signed<Checkpoint>
  readonly cosignature: Cosignature
}

export interface CosignatureEvents {
  /** A witness has said something new; told at once. */
  word: CustomEvent<void>
  /** Witnesses have said something new. Words that come close together are told together. */
  cosigned: CustomEvent<void>
  /** A witness stands for two histories; told once of each while the process runs. */
  lie: CustomEvent<Lie>
}
