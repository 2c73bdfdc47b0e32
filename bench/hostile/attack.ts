import type { RootAddress } from '../processes/root.ts'

/** What an attacker did, and how it ended, in words. */
export class Tally {
  readonly sent = new Map<string, number>()
  readonly met = new Map<string, number>()
  /** PeerIds of those who attack. */
  readonly who = new Set<string>()

  /** So many of them were sent. */
  send(what: string, by = 1): void {
    this.sent.set(what, (this.sent.get(what) ?? 0) + by)
  }

  /** Something ended that way. */
  meet(outcome: string): void {
    this.met.set(outcome, (this.met.get(outcome) ?? 0) + 1)
  }

  /** The most of something that there was at a time. */
  hold(what: string, now: number): void {
    this.met.set(what, Math.max(this.met.get(what) ?? 0, now))
  }
}

export interface Stage {
  readonly target: RootAddress
  readonly tally: Tally
  /** Aborts when the attack is over. */
  readonly signal: AbortSignal
}

/** Goes on until the signal aborts. */
export type Attack = (stage: Stage) => Promise<void>
