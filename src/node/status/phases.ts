import { ageOf, type Clock, momentOf, wallTimeOf } from '../../runtime/clock-and-logger.ts'

export const phaseNames = ['bootstrap', 'trusted', 'federated', 'autonomous'] as const
export type PhaseName = (typeof phaseNames)[number]

/** Two, so that one of them may be down as well when the node comes back. */
export const cachedPeersWanted = 2
/** Two connected members of which one may lie or stop. */
export const sourcesWanted = 2

/** Facts that a phase is judged by; all of it is looked up at the moment of judging. */
export interface PhaseFacts {
  member: boolean
  /** A live session with a registry in another process; always true for a root, which is its own ground. */
  session: boolean
  /** The log is verified up to a checkpoint and the record sync has caught up. */
  replica: boolean
  /** Members in the gossip mesh. */
  mesh: number
  /** Connected members that serve the log, up to `sourcesWanted`. */
  sources: number
  /** Members other than the root with a stored address that answered in this or the last run, up to `cachedPeersWanted`. */
  cachedPeers: number
}

/** Says what is missing for each phase, in words; empty: it is reached. */
export const missingFor = (phase: PhaseName, facts: PhaseFacts): string[] => {
  const missing: string[] = []
  if (phase === 'trusted') {
    if (!facts.member) missing.push('admission to the network')
    if (!facts.session) missing.push('a session with a registry')
  }
  if (phase === 'federated') {
    if (!facts.replica) missing.push('a verified replica of the log')
    if (facts.mesh < 1) missing.push('a peer in the gossip mesh')
    if (facts.sources < sourcesWanted) missing.push(count(sourcesWanted - facts.sources, 'more connected source'))
  }
  if (phase === 'autonomous' && facts.cachedPeers < cachedPeersWanted) {
    missing.push(count(cachedPeersWanted - facts.cachedPeers, 'more cached peer'))
  }
  return missing
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

/** The highest phase whose own and lower demands are all met. */
export const phaseOf = (facts: PhaseFacts): PhaseName => {
  let reached: PhaseName = 'bootstrap'
  for (const phase of phaseNames.slice(1)) {
    if (missingFor(phase, facts).length > 0) break
    reached = phase
  }
  return reached
}

/** Remembers when each phase was entered; falls back when the ground is lost. */
export class PhaseTracker {
  #phase: PhaseName = 'bootstrap'
  #sinceAt: number
  #missing: string[] = []
  #changes = 0
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #reached: Record<PhaseName, number | null> = {
    bootstrap: 0,
    trusted: null,
    federated: null,
    autonomous: null
  }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedAt = momentOf(clock)
    this.#sinceAt = this.#startedAt
  }

  get name(): PhaseName {
    return this.#phase
  }

  /** When this process began, and how long ago that is. */
  get startedMs(): number {
    return wallTimeOf(this.#clock, this.#startedAt)
  }

  get upMs(): number {
    return ageOf(this.#clock, this.#startedAt)
  }

  get sinceMs(): number {
    return wallTimeOf(this.#clock, this.#sinceAt)
  }

  /** Time for which the phase has lasted. */
  get ageMs(): number {
    return ageOf(this.#clock, this.#sinceAt)
  }

  /** Times that the phase became another one. */
  get changes(): number {
    return this.#changes
  }

  /** For the next phase; empty in the last one. */
  get missing(): string[] {
    return this.#missing
  }

  /** ms from the start of the process until each phase was first reached. */
  get reachedAfterMs(): Record<PhaseName, number | null> {
    return { ...this.#reached }
  }

  /** true when the phase is another one than before. */
  update(facts: PhaseFacts): boolean {
    const phase = phaseOf(facts)
    const next = phaseNames[phaseNames.indexOf(phase) + 1]
    this.#missing = next === undefined ? [] : missingFor(next, facts)
    if (phase === this.#phase) return false
    this.#phase = phase
    this.#changes++
    this.#sinceAt = momentOf(this.#clock)
    for (const passed of phaseNames.slice(0, phaseNames.indexOf(phase) + 1)) {
      this.#reached[passed] ??= Math.round(ageOf(this.#clock, this.#startedAt))
    }
    return true
  }
}
