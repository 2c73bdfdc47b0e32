import { peerIdText } from '../../identity/keys.ts'
import { OtherEpochError } from '../../registry/log/apply-entries.ts'
import { NewerRulesError } from '../../registry/objects/policy/understood.ts'
import type { Registry } from '../../registry/registry.ts'
import { ForkError, InvalidEnvelopeError, LogMismatchError } from '../../runtime/errors.ts'

/** Tells what an honest carrier never sends, also when it knows less than we do, or more. */
const isLie = (error: unknown): boolean => {
  // Without a cause it only says that nothing is followed, whoever brings it.
  if (error instanceof ForkError) return error.cause !== undefined
  if (error instanceof OtherEpochError) return false
  return error instanceof InvalidEnvelopeError || error instanceof LogMismatchError
}

/** Names whoever goes on showing an old head. */
export function tellStill(
  { alarms, replica }: Registry,
  publicKey: Uint8Array,
  shown: { epoch: number; n: number; timeMs: number }
): void {
  const peer = peerIdText(publicKey)
  const name = replica.state.member(publicKey)?.name ?? peer
  const since = new Date(shown.timeMs).toISOString()
  alarms.raise(
    'stale_source',
    `${name} (${peer}) stands still at entry ${shown.n} as of ${since}, and does not take newer heads that it is shown: it is cut off from all others, fails, or holds something back; others are asked`,
    { peer, epoch: shown.epoch, n: shown.n }
  )
}

/** Names whoever sent what is not true; nothing of it was taken. What only a newer program can judge is nobody's lie. */
export function tellLie({ alarms, replica }: Registry, publicKey: Uint8Array, error: unknown): void {
  if (error instanceof NewerRulesError) {
    alarms.raise('newer_rules', `the log is followed no further, this node shows what it held before: ${error.message}`)
    return
  }
  if (!isLie(error)) return
  const peer = peerIdText(publicKey)
  const name = replica.state.member(publicKey)?.name ?? peer
  const why = error instanceof Error ? error.message : String(error)
  alarms.raise(
    'lying_source',
    `${name} (${peer}) sent what cannot be true: ${why}; its store is damaged, or it lies; nothing of it was taken`,
    {
      peer,
      error: why
    }
  )
}
