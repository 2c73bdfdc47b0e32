import { concat } from 'uint8arrays/concat'
import { checkCount, checkKey, nameOfNumber } from '../../../identity/checked-bytes.ts'
import { compareBytes } from '../../../identity/hash.ts'
import { InvalidPayloadError, UnsupportedVersionError } from '../../../runtime/errors.ts'
import { PolicyAdditions, Policy as PolicyMessage } from '../../pb/registry.ts'
import { bodyKind } from '../encoding/body-kind.ts'
import { fieldsOf } from '../encoding/canonical.ts'
import { decodeStrictly } from '../signed.ts'
import { checkCallRules, type PolicyRule, type PolicyTest } from './call-rules.ts'

/** Ways of admission: with an invite, by the operator's word, or everybody. The numbers are on the wire. */
export const admissions = { invite: 0, approve: 1, open: 2 } as const
export type AdmissionPolicy = keyof typeof admissions

/** Keys whose documents the log takes besides those of the root, its log key and the authority: of publisher entries, these and every registry, none. */
export const publishing = { named: 0, registries: 1, root: 2 } as const
export type Publishing = keyof typeof publishing

/** Members that may carry streams of others: registries and those that offer it, registries alone, none. */
export const relaying = { members: 0, registries: 1, nobody: 2 } as const
export type Relaying = keyof typeof relaying

/** The rules of a network that its root can change. The genesis holds the first, the last policy entry of the log counts. */
export interface Policy {
  admission: AdmissionPolicy
  /** Length of an admission or a renewal. */
  membershipMs: number
  /** Quota of all live documents together. */
  documentBytes: number
  /** Invites that may be open at once. */
  openGrants: number
  /** Most uses of one invite. */
  grantUses: number
  /** Longest time that an invite is open. */
  grantMs: number
  /** Time in which the name of a revoked member is given to nobody else. */
  nameHoldMs: number
  /** Time after its end in which a membership may still be renewed. */
  returnGraceMs: number
  /** Cosignatures that a checkpoint needs. */
  witnesses: number
  /** Numbers of the kinds of entries that a reader must know to judge, ascending. */
  criticalKinds: readonly number[]
  /** Numbers of the kinds of entries that need the orders of two operators, ascending. */
  twoOperators: readonly number[]
  /** Rules of who may call what; without any every member may call every service. */
  rules: readonly PolicyRule[]
  /** Questions to the rules, and the answers that must come of them. */
  tests: readonly PolicyTest[]
  publishing: Publishing
  relaying: Relaying
  /** Keys that may cosign checkpoints, ascending; none: those of the registries. */
  witnessKeys: readonly Uint8Array[]
  /** Age up to which an admission counts that too few witnesses have seen. */
  witnessGraceMs: number
}

const dayMs = 24 * 3_600_000
/** Grace of a policy that does not name one. */
export const defaultWitnessGraceMs = 3_600_000

/** Policy of a network whose maker says nothing else. */
export const defaultPolicy: Readonly<Policy> = {
  admission: 'invite',
  membershipMs: 90 * dayMs,
  documentBytes: 64 * 2 ** 20,
  // As many as a bulk order of machines needs; each is a row of the state at everybody.
  openGrants: 10_000,
  grantUses: 100_000,
  // An invite lies about in mails and shell histories: longer than a month is no invite any more.
  grantMs: 31 * dayMs,
  // Whoever still looks for a machine by its name should not find another one under it the next day.
  nameHoldMs: 30 * dayMs,
  // A root that was away must not shut out those who could not ask it in time.
  returnGraceMs: 30 * dayMs,
  witnesses: 0,
  criticalKinds: [],
  twoOperators: [],
  rules: [],
  tests: [],
  // Publisher entries are the operator's word already.
  publishing: 'named',
  // Two nodes behind firewalls reach each other from the first day; whoever relays has said so.
  relaying: 'members',
  witnessKeys: [],
  // Witnesses that restart or lose their network are back within it.
  witnessGraceMs: defaultWitnessGraceMs
}

/** A shorter membership could not be renewed in time, a longer one would outlive its operators. */
const minMembershipMs = 1000
const maxMs = 100 * 365 * dayMs
const maxQuotaBytes = 2 ** 40
const maxKinds = 64
const maxKind = 0xffff_ffff
const maxWitnessKeys = 16

/** Least and most of each number of a policy. */
export const policyBounds = {
  membershipMs: [minMembershipMs, maxMs],
  documentBytes: [0, maxQuotaBytes],
  openGrants: [0, 100_000],
  grantUses: [1, 1_000_000],
  grantMs: [minMembershipMs, maxMs],
  nameHoldMs: [0, maxMs],
  returnGraceMs: [0, maxMs],
  witnesses: [0, 16],
  witnessGraceMs: [minMembershipMs, maxMs]
} as const satisfies Partial<Record<keyof Policy, readonly [number, number]>>

type PolicyNumber = keyof typeof policyBounds

const isPolicyNumber = (name: string): name is PolicyNumber => Object.hasOwn(policyBounds, name)
export const policyNumbers: readonly PolicyNumber[] = Object.keys(policyBounds).filter(isPolicyNumber)

/** @throws InvalidPayloadError */
export function checkPolicy(policy: Policy): void {
  for (const name of policyNumbers) {
    const [min, max] = policyBounds[name]
    checkCount(policy[name], min, max, `${name} of the policy`)
  }
  checkKinds(policy.criticalKinds, 'each critical kind of the policy, ascending,')
  checkKinds(policy.twoOperators, 'each kind of the policy that needs two operators, ascending,')
  checkCallRules(policy)
  checkWitnesses(policy)
}

function checkWitnesses({ witnesses, witnessKeys }: Policy): void {
  if (witnessKeys.length > maxWitnessKeys) {
    throw new InvalidPayloadError(`a policy names at most ${maxWitnessKeys} witnesses`)
  }
  for (const [index, key] of witnessKeys.entries()) {
    checkKey(key, 'key of a witness')
    const before = witnessKeys[index - 1]
    if (before !== undefined && compareBytes(before, key) >= 0) {
      throw new InvalidPayloadError('keys of witnesses must ascend, each once')
    }
  }
  if (witnessKeys.length > 0 && witnesses > witnessKeys.length) {
    throw new InvalidPayloadError(`the policy needs ${witnesses} witnesses and names ${witnessKeys.length}`)
  }
}

function checkKinds(kinds: readonly number[], what: string): void {
  if (kinds.length > maxKinds) throw new InvalidPayloadError(`a policy names at most ${maxKinds} kinds`)
  for (const [index, kind] of kinds.entries()) checkCount(kind, (kinds[index - 1] ?? -1) + 1, maxKind, what)
}

const hourMs = 3_600_000
/** Shortest membership that locks nobody out: a machine may be off for a day. */
const shortestStayMs = dayMs
/** A shorter membership ends between two checkpoints and renewals. */
const shortestMembershipMs = hourMs
/** An invite has to reach somebody. */
const shortestGrantMs = 60_000

/** Whom a policy would shut out that nobody means to; undefined: nobody. For people, before it is entered. */
export function lockOut(policy: Policy): string | undefined {
  const { admission, membershipMs, returnGraceMs, openGrants, grantMs } = policy
  if (membershipMs < shortestMembershipMs) return 'memberships of less than an hour end before they are renewed'
  if (membershipMs + returnGraceMs < shortestStayMs) {
    return 'memberships and grace of less than a day together shut everybody out when the root is away for a day'
  }
  if (admission === 'invite' && (openGrants === 0 || grantMs < shortestGrantMs)) {
    return 'nobody could join any more: only invites let in, and none can be used'
  }
  return undefined
}

/** @throws UnsupportedVersionError for a number that is not known here: who may do what cannot be judged without it */
export const policyOf = (message: PolicyMessage): Policy => ({
  ...message,
  witnessGraceMs: defaultWitnessGraceMs,
  admission: known(admissions, message.admission, 'admits'),
  publishing: known(publishing, message.publishing, 'lets publish'),
  relaying: known(relaying, message.relaying, 'lets relay')
})

function known<K extends string>(table: Readonly<Record<K, number>>, number: number, does: string): K {
  const name = nameOfNumber(table, number)
  if (name === undefined) {
    throw new UnsupportedVersionError(`the policy ${does} in the way ${number}: update this program`)
  }
  return name
}

export const policyMessage = (policy: Policy): PolicyMessage => ({
  ...policy,
  admission: admissions[policy.admission],
  criticalKinds: [...policy.criticalKinds],
  twoOperators: [...policy.twoOperators],
  rules: [...policy.rules],
  tests: [...policy.tests],
  publishing: publishing[policy.publishing],
  relaying: relaying[policy.relaying],
  witnessKeys: [...policy.witnessKeys]
})

export const policyBody = bodyKind<'policy', Policy, PolicyMessage>('policy', PolicyMessage, {
  to: policyMessage,
  from: policyOf,
  later: { append: withAdditions, read: additionsOf },
  check: checkPolicy
})

const graceField = 17

/** Reads the fields behind those of the first version. What is not as it should be counts as absent: a program that does not know them takes the entry. */
function additionsOf(body: Uint8Array): Partial<Policy> {
  const bytes = fieldsOf(body, graceField)
  if (bytes.length === 0) return {}
  try {
    const { witnessGraceMs } = decodeStrictly(PolicyAdditions, bytes, 'addition to the policy')
    checkCount(witnessGraceMs, ...policyBounds.witnessGraceMs, 'witnessGraceMs of the policy')
    return { witnessGraceMs }
  } catch {
    return {}
  }
}

function withAdditions(body: Uint8Array, { witnessGraceMs }: Policy): Uint8Array {
  if (witnessGraceMs === defaultWitnessGraceMs) return body
  return concat([body, PolicyAdditions.encode({ witnessGraceMs })])
}
