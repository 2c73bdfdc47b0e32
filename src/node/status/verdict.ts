import { isForeign, isForGood } from '../../runtime/failures.ts'
import type { Phase, StatusWord } from '../api/views.ts'
import type { DialFailure } from '../bootstrap/dial-race.ts'
import { NoCandidateError } from '../errors.ts'
import { count, span } from '../views/phrases.ts'
import { clockFault, silentMs } from './clock-fault.ts'
import { cachedPeersWanted, sourcesWanted } from './phases.ts'
import type { NetworkFacts, StatusFacts } from './status-facts.ts'

export interface Verdict {
  word: StatusWord
  /** One sentence behind it. */
  summary: string
}

/** Time that things may take after a start before they count as missing. */
const settleMs = 30_000
const replicaMs = 120_000
/** The root signs a checkpoint every minute: after a day without one somebody has to look. */
export const degradedReplicaMs = 24 * 3_600_000
/** Time that a phase may last in a network that could give the next one. */
const phaseMs: Partial<Record<Phase, number>> = { trusted: 120_000, federated: 300_000 }

const isHungUp = ({ error }: DialFailure): boolean => error.name === 'HungUpError'

/**
 * Everybody hangs up on this key after the handshake, as they do with a revoked one that has asked too often.
 */
export const isShutOut = (failures: readonly DialFailure[]): boolean => failures.length > 0 && failures.every(isHungUp)

const shutOut = 'whoever answers hangs up on the key of this node, as they do with a revoked one'

/** One word for how this node is, worst first, and why. */
export function judge(facts: StatusFacts): Verdict {
  if (facts.stopping) return { word: 'stopping', summary: 'this process stops' }
  const { network, membership } = facts
  if (network === undefined) return withoutNetwork(facts)
  if (membership === 'revoked') {
    return { word: 'refused', summary: 'the key of this node was revoked, for ever: join again with a new key' }
  }
  if (membership !== 'member' && membership !== 'left') return withoutMembership(facts)
  if (network.store.failure !== undefined) return { word: 'degraded', summary: network.store.failure.message }
  const { trouble } = facts
  if (trouble !== undefined && isForGood(trouble)) return { word: 'refused', summary: trouble.message }
  if (trouble instanceof NoCandidateError && isShutOut(trouble.failures)) return { word: 'refused', summary: shutOut }
  return facts.role === 'root' ? rootVerdict(facts, network) : sessionVerdict(facts, network)
}

const withoutNetwork = ({ failures, upMs }: StatusFacts): Verdict => {
  if (failures.length === 0 && upMs < settleMs) return { word: 'starting', summary: 'looks for its network' }
  if (failures.length === 0) {
    return { word: 'isolated', summary: 'the network was not found: no address is known, and DNS has none' }
  }
  if (failures.every(({ error }) => isForeign(error))) {
    return { word: 'refused', summary: 'only other networks answer at the known addresses; they are tried again' }
  }
  const told = failures.find(({ error }) => error.name === 'RevokedError')
  if (told !== undefined) {
    return { word: 'refused', summary: `the host at ${told.address} says that the key of this node was revoked` }
  }
  if (isShutOut(failures)) return { word: 'refused', summary: shutOut }
  const tried = count(failures.length, 'address', 'addresses')
  return { word: 'isolated', summary: `the network was not found: none of ${tried} answered; they are tried again` }
}

/** Says how the membership that this node had has ended; empty: it had none, or has it. */
export const endOf = ({ membership, toldOfItsEnd }: StatusFacts): string => {
  if (membership === 'expired') return 'the membership has expired: '
  return toldOfItsEnd ? 'the membership was ended while this node was away: ' : ''
}

const withoutMembership = (facts: StatusFacts): Verdict => {
  const { trouble, upMs } = facts
  const expired = endOf(facts)
  if (trouble === undefined) {
    return upMs < settleMs
      ? { word: 'starting', summary: `${expired}asks for its admission` }
      : { word: 'pending', summary: `${expired}waits for its admission` }
  }
  if (trouble.name === 'PendingError') return { word: 'pending', summary: `${expired}${trouble.message}` }
  if (isForGood(trouble)) return { word: 'refused', summary: `${expired}${trouble.message}` }
  return { word: 'isolated', summary: `${expired}no registry answers: ${trouble.message}` }
}

/** Says that the one address to listen on is not there; undefined: it is, or all addresses are listened on. */
export const listenFault = ({ announced, listenHost }: NetworkFacts): string | undefined =>
  announced > 0 || listenHost === '::'
    ? undefined
    : `no interface of this machine has ${listenHost} now, the address that is listened on: others cannot dial it until it is back`

const rootVerdict = (facts: StatusFacts, network: NetworkFacts): Verdict => {
  const { refusal, fenced } = network
  if (refusal === undefined) return memberVerdict(facts, network)
  // It listens nowhere until then.
  if (fenced) return { word: 'starting', summary: listenFault(network) ?? refusal.message }
  return { word: 'degraded', summary: refusal.message }
}

const sessionVerdict = (facts: StatusFacts, network: NetworkFacts): Verdict => {
  const { session, hadSession, trouble, upMs } = facts
  if (session) return memberVerdict(facts, network)
  if (trouble !== undefined) {
    const own = `goes on with its own replica, ${span(network.replicaAgeMs)} old`
    return { word: 'isolated', summary: `no registry answers: ${trouble.message}; ${own}` }
  }
  if (!hadSession && upMs < settleMs) return { word: 'starting', summary: 'looks for a registry' }
  return { word: 'degraded', summary: 'the session with its registry ended; another one is tried' }
}

const memberVerdict = (facts: StatusFacts, network: NetworkFacts): Verdict => {
  const alarms = network.alarms.filter(({ acknowledged }) => !acknowledged)
  const [first] = alarms
  if (first !== undefined) {
    const more = alarms.length > 1 ? `, and ${count(alarms.length - 1, 'more alarm')}` : ''
    return { word: 'degraded', summary: `alarm ${first.code}${more}: see the warnings` }
  }
  const fault = clockFault(network, facts.now)
  if (fault?.code === 'clock') return { word: 'degraded', summary: fault.message }
  const ageMs = silentMs(network, facts.now)
  if (facts.role !== 'root' && ageMs >= degradedReplicaMs)
    return { word: 'degraded', summary: `nothing was heard of the root for ${span(ageMs)}` }
  if (!facts.phaseFacts.replica) {
    const summary = 'the replica of the log is being fetched'
    return facts.upMs < replicaMs
      ? { word: 'starting', summary }
      : { word: 'degraded', summary: `${summary} for too long` }
  }
  const gap = gapOf(facts, network)
  if (gap !== undefined) return { word: 'degraded', summary: gap }
  const { counts, total } = network
  return { word: 'healthy', summary: `${counts.online} of ${count(total, 'member')} online` }
}

/** Finds what is missing for the next phase although this network could give it; a small network lacks nothing. */
const gapOf = ({ phase, phaseFacts, gossip }: StatusFacts, { up }: NetworkFacts): string | undefined => {
  if (phase.ageMs < (phaseMs[phase.name] ?? Number.POSITIVE_INFINITY)) return undefined
  if (phase.name === 'federated') {
    const isPossible = up.carriers >= cachedPeersWanted && phaseFacts.cachedPeers < cachedPeersWanted
    return isPossible ? `only ${count(phaseFacts.cachedPeers, 'peer')} would be found after a restart` : undefined
  }
  if (gossip && phaseFacts.mesh < 1 && up.members > 0) return 'gossips with nobody, though members are up'
  const possible = Math.min(sourcesWanted, up.sources)
  if (phaseFacts.sources >= possible) return undefined
  return `connected to ${phaseFacts.sources} of ${count(possible, 'wanted source')} of the log`
}
