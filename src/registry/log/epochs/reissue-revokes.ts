import { equals } from 'uint8arrays/equals'
import type { Logger } from '../../../runtime/clock-and-logger.ts'
import { NotOperatorError, RevokedError } from '../../../runtime/errors.ts'
import type { Revoke } from '../../objects/entry.ts'
import type { EntryDraft } from '../append-queue.ts'
import type { Replica } from '../replica.ts'

interface Writer {
  readonly publicKey: Uint8Array
  append(bodies: readonly EntryDraft[]): Promise<unknown>
}

/** Enters the revokes that are enforced without being in the log. Gives the number of them. @throws as append */
export async function reissueRevokes(root: Writer, { authorityRevocations }: Replica, logger: Logger): Promise<number> {
  // The key of the root itself is for the next root to enter.
  const bodies = authorityRevocations.revokes().filter(({ publicKey }) => !equals(publicKey, root.publicKey))
  await Promise.all(bodies.map((body) => reissue(root, body, logger)))
  return bodies.length
}

async function reissue(root: Writer, body: Revoke, logger: Logger): Promise<void> {
  try {
    await root.append([{ kind: 'revoke', body }])
  } catch (error) {
    // It is in force all the same; where the policy asks for two operators, they enter it.
    if (error instanceof NotOperatorError)
      logger.warn({ reason: body.reason }, `a revoke in force is not entered: ${error.message}`)
    // Somebody handed it over at the same moment.
    else if (!(error instanceof RevokedError)) throw error
  }
}
