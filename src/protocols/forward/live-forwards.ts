import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { systemClock } from '../../runtime/clock-and-logger.ts'
import { LimitError } from '../../runtime/errors.ts'
import { DeadlineError } from '../engine/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { Forward, type ForwardFacts } from './forward.ts'
import { SendTurns } from './send-turns.ts'

export interface LiveForwardsInit {
  limits: ProtocolLimits['forward']
  clock?: Clock
  /** Told when a peer went beyond a limit. */
  onExceeded?: (limit: string, connection: Connection) => void
}

const lookMs = 100

/** Forwards of this process, both ways, within their limits. */
export class LiveForwards {
  /** Forwards that were opened, and bytes of those that are over. */
  readonly totals = { in: counts(), out: counts() }
  readonly #init: LiveForwardsInit
  readonly #clock: Clock
  readonly #turns: SendTurns
  readonly #all = new Set<Forward>()
  #timer: NodeJS.Timeout | undefined

  constructor(init: LiveForwardsInit) {
    this.#init = init
    this.#clock = init.clock ?? systemClock
    this.#turns = new SendTurns(init.limits, this.#clock)
  }

  /** The oldest first. */
  list(): Forward[] {
    return [...this.#all]
  }

  /** Takes a place for a forward, which has to be joined or disposed of. @throws LimitError when there is none */
  begin(facts: ForwardFacts): Forward {
    const { ofPeer, ofAll, windowBytes } = this.#init.limits
    const { peer, direction } = facts
    const theirs = this.list().filter((each) => each.peer === peer)
    if (theirs.filter((each) => each.direction === direction).length >= ofPeer) {
      if (direction === 'in') this.#init.onExceeded?.('forward.ofPeer', facts.connection)
      throw new LimitError(`more than ${ofPeer} forwards of one member at a time`)
    }
    if (this.#all.size >= ofAll && !this.#givesWay(theirs.length))
      throw new LimitError(`more than ${ofAll} forwards at a time`)
    const onEnd = (forward: Forward): void => this.#ended(forward)
    const forward = new Forward(facts, { turns: this.#turns, clock: this.#clock, windowBytes, onEnd })
    this.#all.add(forward)
    this.totals[direction].opened++
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref()
    return forward
  }

  /** Ends those that are not allowed any more. */
  recheck(reasonOf: (forward: Forward) => Error | undefined): void {
    for (const forward of this.list()) {
      const reason = reasonOf(forward)
      if (reason !== undefined) forward.end(reason)
    }
  }

  /** Ends the newest forward of the member that has most, unless that is hardly more than the newcomer has. */
  #givesWay(has: number): boolean {
    const [most] = [...Map.groupBy(this.#all, ({ peer }) => peer).values()].toSorted((a, b) => b.length - a.length)
    const newest = most?.at(-1)
    if (newest === undefined || (most?.length ?? 0) <= has + 1) return false
    this.#init.onExceeded?.('forward.ofAll', newest.connection)
    newest.end(new LimitError('others need a place, and its member has most'))
    return true
  }

  #ended(forward: Forward): void {
    if (!this.#all.delete(forward)) return
    const totals = this.totals[forward.direction]
    totals.bytesIn += forward.bytesIn
    totals.bytesOut += forward.bytesOut
    if (this.#all.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const { idleMs, waitingBytes, waitingBytesOfPeer } = this.#init.limits
    const since = this.#clock.monotonic() - idleMs
    this.recheck(({ movedAt, isOpen }) =>
      isOpen && movedAt < since ? new DeadlineError(`nothing moved for ${idleMs} ms`) : undefined
    )
    const most = this.list().toSorted((a, b) => b.waitingBytes - a.waitingBytes)
    for (const theirs of Map.groupBy(most, ({ peer }) => peer).values())
      this.#bound(theirs, waitingBytesOfPeer, 'forward.waitingBytesOfPeer')
    this.#bound(most, waitingBytes, 'forward.waitingBytes')
  }

  /** Ends those that hold most until the others are within the limit. */
  #bound(most: readonly Forward[], limit: number, name: string): void {
    let all = most.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0)
    for (const forward of most) {
      if (all <= limit) return
      all -= forward.waitingBytes
      this.#init.onExceeded?.(name, forward.connection)
      forward.end(new LimitError(`the limit ${name} was exceeded: nobody takes what comes on this forward`))
    }
  }
}

const counts = () => ({ opened: 0, bytesIn: 0, bytesOut: 0 })
