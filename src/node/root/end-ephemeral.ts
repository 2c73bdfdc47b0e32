import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'

/** Ends of one look, each with a dial: the others wait for the next one. */
const maxAtOnce = 16

/** Time that a member may take from its admission until something is heard of it. */
const firstWordMs = 60_000

export interface EphemeralEndsInit {
  registry: Registry
  /** Tells whether the member answers this process itself. */
  answers: (member: Member) => Promise<boolean>
  logger: Logger
}

/** An absence that this root has not seen itself: when it was told here first (monotonic), and the record that the member had then. */
interface Told {
  readonly atMs: number
  readonly seq: number | undefined
}

/**
 * Ends the memberships of ephemeral members that have been away for as long as their invite says. What another registry says of one is
 * no reason to sign anything: the time counts from when it was told here, begins anew with each record of the member, and the member is
 * dialled first. So it is with one of which nobody has ever heard; where there is a record, the registry that it names may be away.
 */
export class EphemeralEnds {
  readonly #init: EphemeralEndsInit
  #told = new Map<string, Told>()

  constructor(init: EphemeralEndsInit) {
    this.#init = init
  }

  async look(): Promise<void> {
    // As with invites: by a clock that may be wrong nobody was away for any time.
    if (this.#init.registry.root?.clock.isConfirmed !== true) return
    const told = new Map<string, Told>()
    const over: Member[] = []
    for (const member of this.#init.registry.replica.state.members()) {
      if (over.length < maxAtOnce && this.#isOver(member, told)) over.push(member)
    }
    this.#told = told
    const ends = await Promise.all(over.map((member) => this.#isGone(member)))
    for (const [at, { publicKey, name }] of over.entries()) {
      if (ends[at] !== true) continue
      await this.#init.registry.admission.members.endUnasked(publicKey, 'ephemeral, and offline')
      const fields = { peer: peerIdText(publicKey), name }
      this.#init.logger.info(fields, 'the membership of an ephemeral member that is offline is over')
    }
  }

  #isOver({ publicKey, ephemeralMs }: Member, next: Map<string, Told>): boolean {
    if (ephemeralMs === undefined) return false
    const { liveness, records, replica } = this.#init.registry
    const { state, confirmed, sinceAgeMs = 0 } = liveness.view(publicKey)
    const seq = records.read(publicKey)?.seq
    const isUnheard = state === 'unknown' && seq === undefined
    if (!isUnheard && ((state !== 'offline' && state !== 'left') || !confirmed)) return false
    if (!isUnheard && this.#isSeenHere(publicKey)) return sinceAgeMs >= ephemeralMs
    const key = keyId(publicKey)
    const nowMs = replica.ledger.clock.monotonic()
    const before = this.#told.get(key)
    const told = before?.seq === seq && before !== undefined ? before : { atMs: nowMs, seq }
    next.set(key, told)
    return nowMs - told.atMs >= (isUnheard ? Math.max(ephemeralMs, firstWordMs) : ephemeralMs)
  }

  /** By a lease of this process, or by what the member has signed. */
  #isSeenHere(publicKey: Uint8Array): boolean {
    const { liveness, records } = this.#init.registry
    return liveness.view(publicKey).own || records.read(publicKey)?.left === true
  }

  async #isGone(member: Member): Promise<boolean> {
    if (this.#isSeenHere(member.publicKey) || !(await this.#init.answers(member))) return true
    this.#told.delete(keyId(member.publicKey))
    return false
  }
}
