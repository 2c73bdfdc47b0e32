import type { Hint } from '../../registry/liveness/liveness.ts'
import { stateOf, states } from '../../registry/liveness/liveness.ts'
import type { Hint as HintMessage } from './pb/sync.ts'

/** Never heard, in the number of the wire: no member is heard for longer than its network can exist. */
const neverHeardMs = Number.MAX_SAFE_INTEGER

export const toHintMessage = (hint: Hint): HintMessage => ({
  publicKey: hint.publicKey,
  source: hint.source,
  heardMs: hint.heardMs === undefined ? neverHeardMs : Math.round(hint.heardMs),
  state: states[hint.state],
  sinceMs: Math.round(hint.sinceMs),
  reason: hint.reason,
  rttMs: Math.round(hint.rttMs ?? 0),
  connected: [...hint.connected],
  seq: hint.seq,
  start: hint.start,
  count: hint.count
})

/** undefined: no hint of this version. Lengths and ages beyond reason are bounded by the registry. */
export function fromHintMessage(message: HintMessage): Hint | undefined {
  const state = stateOf(message.state)
  if (state === undefined || message.publicKey.length !== 32 || message.source.length !== 32) return undefined
  return {
    publicKey: message.publicKey,
    source: message.source,
    heardMs: message.heardMs >= neverHeardMs ? undefined : message.heardMs,
    state,
    sinceMs: message.sinceMs,
    reason: message.reason,
    rttMs: message.rttMs === 0 ? undefined : message.rttMs,
    connected: message.connected,
    seq: message.seq,
    start: message.start,
    count: message.count
  }
}
