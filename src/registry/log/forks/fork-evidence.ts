import { ForkError } from '../../../runtime/errors.ts'
import type { Checkpoint } from '../../objects/checkpoint.ts'
import type { LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { EvidenceInput } from '../../store/log-rows.ts'
import type { Ledger } from '../ledger.ts'
import type { RowWitness } from '../state/merkle-tree.ts'

/** Two things that the log key of one epoch signed and that cannot both be true. Internal: becomes a ForkError when the proof is kept. */
export class Contradiction extends Error {
  readonly proof: EvidenceInput
  /** Row that a state has in the place of an entry that is missing there. */
  readonly witness: RowWitness | undefined

  constructor(proof: EvidenceInput, witness?: RowWitness) {
    super(`epoch ${proof.epoch} has two histories at entry ${proof.n}`)
    this.proof = proof
    this.witness = witness
  }
}

/** The proof that `theirs` says something else of entry n than the log that is held. */
export function contradiction(
  ledger: Ledger,
  n: number,
  theirs: Signed<Checkpoint> | Signed<LogEntry>,
  witness?: RowWitness
): Contradiction {
  // The signature of our side: the entry itself or, when it is gone, the checkpoint that stands on it.
  const ours = ledger.table.get(n)?.envelope ?? ledger.checkpoint?.bytes
  const proof = {
    kind: 'fork' as const,
    epoch: theirs.value.epoch,
    n,
    hash: theirs.hash,
    subject: null,
    atMs: ledger.clock.now(),
    envelope: theirs.bytes,
    other: ours
  }
  return new Contradiction(proof, witness)
}

/** Keeps the proof when `run` finds a contradiction. @throws ForkError then */
export async function keepingProof<T>(ledger: Ledger, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof Contradiction)) throw error
    await ledger.keepFork(error.proof, error.witness)
    throw new ForkError(
      `${error.message}: the proof is kept, nothing is followed until the authority opens a new epoch`,
      {
        cause: error
      }
    )
  }
}
