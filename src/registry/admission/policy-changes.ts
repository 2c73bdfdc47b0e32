import { equals } from 'uint8arrays/equals'
import { reasonOf } from '../../runtime/error-message.ts'
import { ChangedMeanwhileError, RefusedError } from '../../runtime/errors.ts'
import type { Replica } from '../log/replica.ts'
import type { NetworkState } from '../log/state/network-state.ts'
import { encodeBody } from '../objects/entry.ts'
import { mayCall } from '../objects/policy/call-rules.ts'
import { lockOut, type Policy, policyBody } from '../objects/policy/policy.ts'
import { witnessesBy } from '../witness/entitled.ts'
import type { Author } from './orders/author.ts'

export interface PolicyOptions {
  /** Also a policy that locks members out. */
  force?: boolean
  /** Entry of the policy that the asker saw. */
  seen?: number
  by?: Author | undefined
}

/**
 * The policy after a change.
 * @throws ChangedMeanwhileError when it is not the one any more that the asker saw, RefusedError when it locks members out and nobody forces it
 */
function changedPolicy(state: NetworkState, changes: Partial<Policy>, { force = false, seen }: PolicyOptions): Policy {
  const { n, policy } = state.policyRow
  if (seen !== undefined && seen !== n) {
    throw new ChangedMeanwhileError(
      `somebody else changed the policy meanwhile: entry ${n} has it now, and the change was made to ${originOf(seen)}; look at \`trustnet policy show\` and change it again`
    )
  }
  const changed = { ...policy, ...changes }
  const why = force ? undefined : whatItCosts(changed, state)
  if (why !== undefined) throw new RefusedError(`${why}; to have it so all the same, add --force`)
  return changed
}

const isSame = (a: Policy, b: Policy): boolean =>
  equals(encodeBody({ kind: 'policy', body: a }).body, encodeBody({ kind: 'policy', body: b }).body)

const originOf = (n: number): string => (n === 0 ? 'that of the genesis' : `that of entry ${n}`)

/** Whom a policy locks out, so that it is asked whether that is meant; undefined: nobody. */
export const whatItCosts = (policy: Policy, state: NetworkState): string | undefined =>
  lockOut(policy) ?? shutsAll(policy, state) ?? lacksWitnesses(policy, state)

/** Says that there are fewer witnesses than the policy needs; undefined: there are enough. */
function lacksWitnesses(policy: Policy, state: NetworkState): string | undefined {
  const there = witnessesBy(policy, state).length
  if (there >= policy.witnesses) return undefined
  return `the policy would need ${policy.witnesses} witnesses and there ${there === 1 ? 'is' : 'are'} ${there}: until there are as many, new members would count for its grace alone; let secondaries join first, or name witnesses`
}

/** Says that the rules let no member call anything at any other; undefined: they let some. */
function shutsAll(policy: Policy, state: Pick<NetworkState, 'members'>): string | undefined {
  const { rules } = policy
  if (rules.length === 0) return undefined
  const kinds = [...new Map([...state.members()].map(({ groups }) => [groups.join(), { groups }])).values()]
  const isUsed = rules.some(({ service }) =>
    kinds.some((from) => kinds.some((to) => mayCall(policy, from, to, service)))
  )
  return isUsed ? undefined : 'no member could call anything any more: nobody is in the groups that the rules name'
}

/**
 * Changes the policy by the word of an operator, one change after the other: each begins with what the one before has left. Those that a person signs
 * meanwhile go beside them: the order says what that person has seen.
 */
export class PolicyChanges {
  readonly #replica: Replica
  readonly #author: (given: Author | undefined) => Author
  #turn: Promise<unknown> = Promise.resolve()

  constructor(replica: Replica, author: (given: Author | undefined) => Author) {
    this.#replica = replica
    this.#author = author
  }

  /** Puts some values in place of those that count now; makes no entry where all are so already. @throws ChangedMeanwhileError, RefusedError and as Author.append */
  async change(changes: Partial<Policy>, options: PolicyOptions = {}): Promise<Policy> {
    if (options.by?.asksPerson === true) return await this.#change(changes, options)
    const changed = this.#turn.then(async () => await this.#change(changes, options))
    this.#turn = changed.catch(() => {})
    return await changed
  }

  async #change(changes: Partial<Policy>, options: PolicyOptions): Promise<Policy> {
    const author = this.#author(options.by)
    const policy = changedPolicy(this.#replica.state, changes, options)
    if (!isSame(policy, this.#replica.state.policy)) await author.append([{ kind: 'policy', body: policy }])
    return policy
  }
}

/** The reason why the log does not take a policy; undefined: it does. */
export function refusalOf(policy: Policy, state: Pick<NetworkState, 'checkRules'>): string | undefined {
  try {
    policyBody.check(policy)
    // A policy is judged by the state alone, at any time.
    state.checkRules({ kind: 'policy', body: policy }, 0, undefined)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}
