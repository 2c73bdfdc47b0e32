import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { peerIdText } from '../../identity/keys.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { Alarms } from '../alarms.ts'
import { noteText } from '../log/checkpoint-note.ts'
import { cosignatureLine, witnessVerifierKey } from './note-lines.ts'
import type { Lie, Spoken } from './words.ts'

/** Names a witness that stands for two histories, and writes both of its words to a file, as notes that anybody can verify with its key. */
export function raiseLie(alarms: Alarms, lie: Lie, where: { folder: string; logger: Logger }): void {
  const { witness, held, other } = lie
  const name = peerIdText(witness)
  const { epoch, n } = other.checkpoint.value
  const proof = writeProof(lie, where)
  alarms.raise(
    'witness_lies',
    `the witness ${name} stands for another history at entry ${n} of epoch ${epoch}, and at entry ${held.checkpoint.value.n} for the one that is held: its words protect nobody` +
      (proof === undefined ? '' : `; both are in ${proof}`),
    { witness: name, epoch, n, ...(proof !== undefined && { proof }) }
  )
}

/** Path of the file; undefined: it could not be written. */
function writeProof({ witness, held, other }: Lie, { folder, logger }: { folder: string; logger: Logger }) {
  const { networkId, epoch, n } = other.checkpoint.value
  const path = join(folder, `witness-${peerIdText(witness).slice(-8)}-${epoch}-${n}.proof.txt`)
  const key = `verifier key: ${witnessVerifierKey(networkId, witness)}\n`
  try {
    writeFileSync(path, [key, noteOf(held), noteOf(other)].join('\n'), { mode: 0o640 })
    return path
  } catch (error) {
    logger.error({ path, error: String(error) }, 'the two words of a witness were not written to a file')
    return undefined
  }
}

const noteOf = ({ checkpoint, cosignature }: Spoken): string =>
  `${noteText(checkpoint)}\n${cosignatureLine(checkpoint.value.networkId, cosignature)}`
