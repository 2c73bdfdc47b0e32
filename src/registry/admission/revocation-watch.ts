import type { TypedEventTarget } from 'main-event'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Alarms } from '../alarms.ts'
import type { JoinEvents } from '../events.ts'
import type { Replica } from '../log/replica.ts'

/** By the root's own clock: two checkpoints that it signs without having anything to say, and the time in which a revoke gets to it. */
const graceMs = 120_000
const mostWatched = 1_000

/** As long as the replica lives. */
export const watchRevokes = (replica: Replica, alarms: Alarms): void => {
  const watch = new RevocationWatch(replica, alarms)
  replica.events.addEventListener('checkpoint', ({ detail }) => watch.look(detail.checkpoint.value.timeMs))
}

/**
 * Watches whether the root enters what the authority has revoked. A root that goes on signing without is cut off from all who know of it, or
 * holds it back; it is in force all the same, and the next root enters it.
 */
class RevocationWatch {
  readonly #replica: Replica
  readonly #alarms: Alarms
  /** Time of the first checkpoint that came after the revoke, by key. */
  readonly #since = new Map<string, number>()

  constructor(replica: Replica, alarms: Alarms) {
    this.#replica = replica
    this.#alarms = alarms
  }

  look(timeMs: number): void {
    const missing = this.#replica.authorityRevocations.after(0, mostWatched)
    if (missing.length === 0) this.#since.clear()
    for (const { publicKey } of missing) {
      const key = keyId(publicKey)
      const sinceMs = this.#since.get(key)
      if (sinceMs === undefined) this.#since.set(key, timeMs)
      else if (timeMs - sinceMs >= graceMs) this.#missing(publicKey, timeMs - sinceMs)
    }
  }

  #missing(publicKey: Uint8Array, forMs: number): void {
    const { state } = this.#replica
    const root = state.rootRegistry()
    const name = root === undefined ? 'the root' : (state.member(root.publicKey)?.name ?? 'the root')
    const peer = peerIdText(publicKey)
    this.#alarms.raise(
      'revoke_missing',
      `${name} has signed the log for ${Math.round(forMs / 1000)} s without entering that the authority revoked ${peer}: it is cut off from all who know, or holds it back; it is in force here all the same`,
      { peer, ...(root !== undefined && { root: peerIdText(root.publicKey) }) }
    )
  }
}

/** Raises the alarm `void_revokes` at a root that is handed a revoke, or the end of a membership, over which its operator must decide. */
export function watchOffered(
  events: TypedEventTarget<JoinEvents>,
  { replica, alarms }: { replica: Replica; alarms: Alarms }
): void {
  events.addEventListener('offered', ({ detail: { publicKey, kind } }) => {
    const peer = peerIdText(publicKey)
    const name = replica.state.member(publicKey)?.name ?? peer
    const what = kind === 'revoke' ? `a revoke of ${name}` : `the end of the membership of ${name}`
    alarms.raise(
      'void_revokes',
      `${what} by the log key of an older epoch was handed over: nothing proves when it was signed, so it is not entered before an operator says so`,
      { peer }
    )
  })
}
