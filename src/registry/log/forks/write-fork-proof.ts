import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../../runtime/clock-and-logger.ts'
import type { Replica } from '../replica.ts'
import { makeForkProof } from './fork-proof.ts'

type Witness = Parameters<typeof makeForkProof>[2]

/** Writes the proof of a fork beside the store, for whoever has none of the network. undefined: it is in the store alone. */
export function writeForkProof(
  { replica, folder, logger }: { replica: Replica; folder: string; logger: Logger },
  { epoch, n, witness }: { epoch: number; n: number; witness?: Witness }
): string | undefined {
  const row = replica.forks().findLast((each) => each.epoch === epoch && each.n === n)
  if (row === undefined) return undefined
  const path = join(folder, `fork-${epoch}-${n}-${Buffer.from(row.hash).toString('hex', 0, 4)}.proof.json`)
  try {
    writeFileSync(path, makeForkProof(replica, row, witness), { mode: 0o640 })
    return path
  } catch (error) {
    const fields = { path, error: String(error) }
    logger.error(fields, 'the proof of a fork was not written to a file: it is in the store alone')
    return undefined
  }
}
