import type { AdminAnswered } from '../../protocols/admin/index.ts'
import { ask } from '../../protocols/admin/index.ts'
import type { SignedPublish } from '../../registry/documents/signed-publish.ts'
import { openEntry } from '../../registry/objects/entry.ts'
import type { Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { ChangedMeanwhileError, NotMemberError, PendingError, UnavailableError } from '../../runtime/errors.ts'
import { isDecided } from '../../runtime/failures.ts'
import { askRoot, connectionTo, isLost, type OrderCarrier } from './way-to-root.ts'

/** Time for a root that is connected and says nothing: whoever asks here waits for twice as long. */
const rootMs = 4_000
const retryMs = 5_000

/** Tells whether whoever was asked has judged the document, so that it is not sent again: not one to whom this node is no member. */
export const isJudged = (error: unknown): boolean =>
  error instanceof ChangedMeanwhileError || (isDecided(error) && !(error instanceof NotMemberError))

/** Tells whether the answer of the root is an entry that its log key has signed. */
export const isEntered = ({ replica, networkId }: Registry, { entries }: AdminAnswered): boolean =>
  entries.some((bytes) => replica.state.keys.isOfLog(openEntry(bytes, networkId)))

/**
 * Brings the document of a publisher to the root. While that is away a secondary keeps it; its publisher brings it there.
 * @throws PendingError when it waits; UnavailableError where nobody takes it; what the rules of the log forbid
 */
export async function carryDocument(
  carrier: OrderCarrier,
  document: SignedPublish,
  signal: AbortSignal
): Promise<AdminAnswered> {
  const { documents, role } = carrier.registry
  try {
    return await askRoot(carrier, { document }, within(rootMs, signal))
  } catch (error) {
    signal.throwIfAborted()
    if (isJudged(error)) throw error
    if (role !== 'secondary') return await askSecondaries(carrier, document, signal, error)
  }
  await documents.keep(documents.judge(document))
  throw new PendingError('the root is away: the document waits here, and is sent on when the root is back')
}

async function askSecondaries(
  carrier: OrderCarrier,
  document: SignedPublish,
  signal: AbortSignal,
  failure: unknown
): Promise<AdminAnswered> {
  const { registry, limits } = carrier
  const secondaries = registry.replica.state.registries().filter(({ role }) => role === 'secondary')
  for (const { publicKey } of secondaries) {
    try {
      const connection = await connectionTo(carrier, publicKey, signal)
      return await ask(connection, { document }, { networkId: registry.networkId, limits, signal })
    } catch (error) {
      signal.throwIfAborted()
      if (isJudged(error)) throw error
    }
  }
  const others = secondaries.length === 0 ? 'there is no secondary that could keep it' : 'no secondary takes it either'
  const outcome = isLost(failure)
    ? 'it may have been published all the same: publish it again, and the answer says so'
    : 'nothing was published, publish it again later'
  throw new UnavailableError(`the root has not answered (${reasonOf(failure)}), and ${others}: ${outcome}`, retryMs)
}
