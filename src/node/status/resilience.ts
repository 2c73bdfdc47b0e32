import type { Role } from '../../identity/role.ts'
import type { StatusView, Survival } from '../api/views.ts'
import { count } from '../views/phrases.ts'
import { cachedPeersWanted, type PhaseFacts } from './phases.ts'

export interface ResilienceFacts extends Pick<PhaseFacts, 'member' | 'replica' | 'cachedPeers'> {
  role: Role
  /** Addresses that a restart would dial without asking DNS. */
  candidates: number
}

const survives: Survival = { survives: true, needs: null }
const needs = (what: string): Survival => ({ survives: false, needs: what })

/** Members besides the root that hold the log: one carries on, two so that one of them may be down as well. */
const carriers = ({ cachedPeers }: ResilienceFacts, wanted: number): Survival =>
  cachedPeers >= wanted ? survives : needs(count(wanted - cachedPeers, 'more cached peer'))

/** Losses that this node could bear, and still be in its network after a restart. Computed from what it holds now. */
export function resilienceOf(facts: ResilienceFacts): StatusView['resilience'] {
  if (!facts.member) {
    const first = needs('admission to the network')
    return { root: first, dns: facts.candidates > 0 ? survives : needs('an invite or a known address'), both: first }
  }
  if (!facts.replica) {
    const first = needs('a verified replica of the log')
    return { root: first, dns: dnsMayDie(facts), both: first }
  }
  return { root: carriers(facts, 1), dns: dnsMayDie(facts), both: carriers(facts, cachedPeersWanted) }
}

/** The root asks nobody where its network is. */
const dnsMayDie = ({ role, candidates }: ResilienceFacts): Survival =>
  role === 'root' || candidates > 0 ? survives : needs('1 cached peer')
