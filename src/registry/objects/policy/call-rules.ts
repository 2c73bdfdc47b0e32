import { checkName } from '../../../identity/checked-bytes.ts'
import { InvalidPayloadError } from '../../../runtime/errors.ts'

/** Stands for every member, and for every service. In a test: for a member of no group. */
export const anything = '*'

/** Lets members of a group call a service at members of another. */
export interface PolicyRule {
  from: string
  to: string
  service: string
}

/** A question to the rules, and its answer. */
export interface PolicyTest extends PolicyRule {
  allowed: boolean
}

interface CallRules {
  readonly rules: readonly PolicyRule[]
  readonly tests: readonly PolicyTest[]
}

/** A member as the rules see it. */
export interface Caller {
  readonly groups: readonly string[]
}

const maxRules = 128
const maxTests = 128

/** @throws InvalidPayloadError */
export function checkCallRules({ rules, tests }: CallRules): void {
  if (rules.length > maxRules) throw new InvalidPayloadError(`a policy has at most ${maxRules} rules`)
  if (tests.length > maxTests) throw new InvalidPayloadError(`a policy has at most ${maxTests} tests`)
  for (const rule of rules) checkRule(rule, 'rule')
  for (const test of tests) {
    checkRule(test, 'test')
    if (test.service === anything) throw new InvalidPayloadError('a test of the policy names one service')
  }
}

function checkRule({ from, to, service }: PolicyRule, of: string): void {
  for (const group of [from, to]) if (group !== anything) checkName(group, `group in a ${of} of the policy`)
  if (service !== anything) checkName(service, `service in a ${of} of the policy`)
}

/** The rule that lets a member call a service at another; undefined: there is none. */
export const ruleFor = (
  { rules }: Pick<CallRules, 'rules'>,
  from: Caller,
  to: Caller,
  service: string
): PolicyRule | undefined =>
  rules.find(
    (rule) => isIn(from, rule.from) && isIn(to, rule.to) && (rule.service === anything || rule.service === service)
  )

/** True when a member may call a service at another: some rule says so, or there are no rules. Groups are those of the log, never of a record. */
export const mayCall = (policy: Pick<CallRules, 'rules'>, from: Caller, to: Caller, service: string): boolean =>
  policy.rules.length === 0 || ruleFor(policy, from, to, service) !== undefined

const isIn = ({ groups }: Caller, group: string): boolean => group === anything || groups.includes(group)

/** The members of a test: of this group alone, or of none. */
const memberOf = (group: string): Caller => ({ groups: group === anything ? [] : [group] })

/** Tests that the rules of the policy do not pass. */
export const failedTests = (policy: CallRules): PolicyTest[] =>
  policy.tests.filter(
    ({ from, to, service, allowed }) => mayCall(policy, memberOf(from), memberOf(to), service) !== allowed
  )

/** @throws InvalidPayloadError when the rules say something else than the tests of the policy demand */
export function checkTests(policy: CallRules): void {
  const [failed] = failedTests(policy)
  if (failed === undefined) return
  const { from, to, service, allowed } = failed
  throw new InvalidPayloadError(
    `a test of the policy fails: ${from} ${allowed ? 'must be allowed' : 'must not be allowed'} to call ${service} at ${to}, and the rules say otherwise`
  )
}
