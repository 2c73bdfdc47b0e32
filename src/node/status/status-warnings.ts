import { StoreGoneError } from '../../runtime/errors.ts'
import { isForeign, isForGood } from '../../runtime/failures.ts'
import type { DialFailure } from '../bootstrap/dial-race.ts'
import { failureText, NoCandidateError } from '../errors.ts'
import { count, moment, span } from '../views/phrases.ts'
import { alarmNotices } from './alarm-notices.ts'
import { clockFault, silentMs } from './clock-fault.ts'
import { joinAnswers } from './join-answers.ts'
import type { Notice } from './notices.ts'
import { rootStoreNotices } from './root-store-notices.ts'
import type { NetworkFacts, StatusFacts } from './status-facts.ts'
import { endOf, isShutOut, listenFault } from './verdict.ts'

/** The root signs a checkpoint every minute: five missing ones are no accident. */
const staleReplicaMs = 5 * 60_000
/** A membership is renewed at its half ± 10 %; with less than this part left that has failed for long. */
const lateRenewalShare = 0.3
const maxFailuresShown = 3
/** A flood that goes on is counted at least once a minute. */
const floodMs = 5 * 60_000

const warning = (code: string, message: string, fix: string): Notice => ({
  code,
  level: 'warning',
  message,
  fix
})

/** Notices that an operator should know and can do something about. Pure: of facts alone. */
export function noticesOf(facts: StatusFacts): Notice[] {
  const { network, stopping } = facts
  if (stopping) return []
  const found = network === undefined ? discoveryNotices(facts) : memberNotices(facts, network)
  return [...found, logNotice(facts)].filter((notice) => notice !== undefined)
}

type Maybe = Notice | undefined

const logNotice = ({ logFailure }: StatusFacts): Maybe =>
  logFailure &&
  warning(
    'log_lost',
    'lines of the log are lost: nobody reads them, or they cannot be written; all else goes on',
    'make room on its disk, or start it again with a reader of its output'
  )

const discoveryNotices = ({ failures, upMs }: StatusFacts): Maybe[] => {
  const others = failures.filter(({ error }) => isForeign(error))
  const silent = failures.filter(({ error }) => !isForeign(error))
  const isEmpty = failures.length === 0 && upMs > 10_000
  return [
    others.length === 0
      ? undefined
      : warning(
          'wrong_network',
          `another network or key answers: ${said(others)}; nothing was changed`,
          'trustnet join INVITE'
        ),
    silent.length === 0
      ? undefined
      : warning(
          'no_network',
          `the network was not found yet: ${said(silent)}; it is tried again`,
          'trustnet join INVITE'
        ),
    isEmpty
      ? warning(
          'no_network',
          'the network was not found yet: no address is known and DNS has none',
          'trustnet join INVITE, or trustnet peers connect MULTIADDR of a member'
        )
      : undefined
  ]
}

const said = (failures: readonly DialFailure[]): string => {
  const lines = failures.slice(0, maxFailuresShown).map(({ address, error }) => failureText(address, error))
  const more = failures.length - lines.length
  return `${lines.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

const memberNotices = (facts: StatusFacts, network: NetworkFacts): Maybe[] => [
  ...alarmNotices(network),
  storeNotice(network),
  ...rootStoreNotices(network.rootStore, facts.upMs),
  kitNotice(network),
  backupNotice(facts, network),
  admissionNotice(facts),
  sessionNotice(facts, network),
  rootNotice(facts, network),
  renewalNotice(facts, network),
  staleNotice(facts, network),
  clockNotice(facts, network),
  ...registryNotices(network),
  floodNotice(facts, network),
  addressNotice(facts, network),
  tnrNotice(network)
]

/** A store that is gone has an alarm of its own, and no room on the disk brings it back. */
const storeNotice = ({ store: { failure, folder } }: NetworkFacts): Maybe =>
  failure === undefined || failure instanceof StoreGoneError
    ? undefined
    : warning('store_fails', failure.message, `df -h ${folder}`)

export const kitCode = 'recovery_kit'

const kitNotice = ({ kit: { state, path } }: NetworkFacts): Maybe => {
  const confirm = `trustnet status --acknowledge ${kitCode}`
  if (state === 'here') {
    const why = 'who takes this machine takes the network with it, and who loses it cannot recover'
    const what = path.endsWith('.passphrase') ? 'passphrase of the recovery kit' : 'recovery kit'
    return warning(
      kitCode,
      `the ${what} is still on this machine: ${why}`,
      `move ${path} somewhere safe, then ${confirm}`
    )
  }
  if (state !== 'unconfirmed') return undefined
  return warning(kitCode, 'nobody has confirmed yet that the recovery kit is in a safe place', confirm)
}

/** One that was missed may be the restart of a machine. */
const missedBackups = 3
/** Time after a start in which the backup that is due is made. */
const startMs = 600_000

const backupNotice = ({ now, upMs }: StatusFacts, { backup }: NetworkFacts): Maybe => {
  if (backup === undefined) return undefined
  const { lastMs, everyMs } = backup
  // A machine that was off makes one soon after its start; who restarts within an interval is warned all the same.
  if (upMs < Math.min(2 * everyMs, startMs) || now - (lastMs ?? 0) < missedBackups * everyMs) return undefined
  const last = lastMs === null ? 'there is no backup' : `the last backup is ${span(now - lastMs)} old`
  return warning('backup_late', `${last}, and one is due every ${span(everyMs)}`, 'trustnet registry backup')
}

/** For a node that nobody who decides has answered. */
const findRoot =
  'trustnet registry status (at the root); trustnet peers connect MULTIADDR of a member, when none is known here'
/** Within the grace of the policy a registry that answers renews the membership; after it only an invite helps. */
const comeBack = `${findRoot}; or trustnet invite (at the root), then trustnet join LINE here`

const admissionNotice = (facts: StatusFacts): Maybe => {
  const { membership, trouble, name } = facts
  if (membership === 'revoked') {
    const message = 'the key of this node was revoked, for ever: only a new key can join again'
    return warning('revoked', message, 'remove the data folder of this node, then trustnet join INVITE')
  }
  if (membership === 'member' || membership === 'left') return undefined
  const code = membership === 'expired' ? 'membership_expired' : 'not_admitted'
  if (trouble === undefined) return undefined
  const unanswered = membership === 'expired' ? comeBack : findRoot
  const fix = joinAnswers.get(trouble.name)?.replace('NAME', name) ?? unanswered
  const ended = facts.toldOfItsEnd ? endOf(facts) : ''
  return warning(code, `this node is no member: ${ended}${trouble.message}`, fix)
}

const withNewKey = 'trustnet registry log (at the root), then trustnet join INVITE with a new key'

const sessionNotice = ({ role, session, trouble, membership }: StatusFacts, { replicaAgeMs }: NetworkFacts): Maybe => {
  if (role === 'root' || session || trouble === undefined || membership !== 'member') return undefined
  if (trouble.name === 'RevokedError') return warning('revoked', trouble.message, withNewKey)
  if (isForGood(trouble))
    return warning('refused', `the registry refused this node: ${trouble.message}`, 'trustnet identity')
  if (trouble instanceof NoCandidateError && isShutOut(trouble.failures)) {
    const told = 'whoever answers hangs up on the key of this node: it was probably revoked while this node was away'
    return warning('shut_out', told, withNewKey)
  }
  const message = `no registry answers: ${trouble.message}; this node goes on with its replica, ${span(replicaAgeMs)} old`
  return warning('isolated', message, 'trustnet peers connect MULTIADDR')
}

const down = new Set(['offline', 'suspect', 'unknown', 'left'])

const refusalFix = ({ restoredHead }: NetworkFacts): string =>
  restoredHead === undefined
    ? 'trustnet registry status'
    : `trustnet registry resume --head ${restoredHead} (when nobody can hold more)`

const rootNotice = ({ membership }: StatusFacts, network: NetworkFacts): Maybe => {
  const { refusal, root } = network
  if (refusal !== undefined) return warning('root_refuses', refusal.message, refusalFix(network))
  if (root === undefined || membership !== 'member' || !down.has(root.state)) return undefined
  const message = `the root ${root.name} is ${root.state}: joins and renewals wait for it, all else goes on`
  return { ...warning('root_away', message, `trustnet why ${root.name}`), sinceMs: root.sinceMs }
}

const renewalNotice = (
  { membership, now }: StatusFacts,
  { notAfterMs, membershipMs, checkpointMs }: NetworkFacts
): Maybe => {
  if (membership !== 'member' || notAfterMs === undefined) return undefined
  // Expiry is judged by the time of the log, as everybody else judges it.
  const leftMs = notAfterMs - (checkpointMs ?? now)
  if (leftMs > membershipMs * lateRenewalShare) return undefined
  const message = `the membership ends at ${moment(notAfterMs)} and was not renewed in time: the root must be reached before`
  return warning('membership_ends', message, 'trustnet registry status (at the root)')
}

const staleNotice = ({ role, phaseFacts, now }: StatusFacts, network: NetworkFacts): Maybe => {
  const { checkpointMs, root } = network
  const ageMs = silentMs(network, now)
  if (role === 'root' || checkpointMs === undefined || !phaseFacts.member || ageMs < staleReplicaMs) return undefined
  const message = `the newest word of the root is ${span(ageMs)} old: revocations and admissions since then are not known here`
  return warning(
    'replica_stale',
    message,
    root === undefined ? 'trustnet registry status' : `trustnet why ${root.name}`
  )
}

const clockNotice = ({ now }: StatusFacts, network: NetworkFacts): Maybe => {
  const fault = clockFault(network, now)
  return fault && warning(fault.code, fault.message, fault.fix)
}

const registryNotices = ({ doubt, pending, queued }: NetworkFacts): Maybe[] => [
  doubt === undefined
    ? undefined
    : warning(
        'self_doubt',
        `this registry may be cut off itself, so it calls nobody offline: ${doubt}`,
        'trustnet registry evict'
      ),
  pending === 0
    ? undefined
    : warning(
        'pending_joins',
        `${count(pending, 'join waits', 'joins wait')} for your word`,
        'trustnet registry pending'
      ),
  queued === 0
    ? undefined
    : warning(
        'queued_requests',
        `${count(queued, 'request waits', 'requests wait')} here for the root`,
        'trustnet registry pending'
      )
]

const fixForAddress = (address: string): string =>
  address === '/ip6/::1'
    ? 'find the program on this machine that does so when it goes on: ss -tnp'
    : `block ${address} in the firewall when it goes on`

const floodNotice = ({ now }: StatusFacts, { exceeded }: NetworkFacts): Maybe => {
  const recent = exceeded.filter(({ lastMs }) => now - lastMs < floodMs)
  const latest = recent.toSorted((a, b) => b.lastMs - a.lastMs)[0]
  if (latest === undefined) return undefined
  const { limit, who, name } = latest
  const others = recent.length === 1 ? '' : `, and ${count(recent.length - 1, 'other does', 'others do')} the like`
  const message = `${name ?? who} exceeds the limit ${limit}${others}: what is over it is refused, the rest goes on`
  return warning('flood', message, name === null ? fixForAddress(who) : `trustnet why ${name}`)
}

const addressNotice = ({ phaseFacts }: StatusFacts, network: NetworkFacts): Maybe => {
  const { announced, listenHost } = network
  if (announced > 0 || !phaseFacts.member) return undefined
  const fault = listenFault(network)
  if (fault !== undefined)
    return warning('no_address', fault, `ip -6 address add ${listenHost} dev INTERFACE, or set listen.host`)
  const message = 'this machine has no stable IPv6 address to announce: others cannot dial it, it only dials them'
  return warning('no_address', message, 'trustnet address --assign INTERFACE, or set announce.addresses')
}

const tnrNotice = ({ tnr }: NetworkFacts): Maybe => {
  if (tnr === undefined) return undefined
  const { domain, says, own, stale } = tnr
  const remove = stale.length === 0 ? '' : `, and no more ${stale.join(', ')}, which no registry has`
  const message = `tnr.${domain} says ${says.join(', ')}; for this registry it must say ${own}${remove}: a machine that begins with DNS does not find it`
  return warning('tnr_differs', message, 'trustnet dns check, then trustnet dns set or the edit that it shows')
}
