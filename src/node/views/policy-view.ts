import { isDeepStrictEqual } from 'node:util'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import { refusalOf, whatItCosts } from '../../registry/admission/policy-changes.ts'
import { type ChangedCall, changedCalls } from '../../registry/admission/policy-effects.ts'
import { mayCall, ruleFor } from '../../registry/objects/policy/call-rules.ts'
import type { Policy } from '../../registry/objects/policy/policy.ts'
import { readVerifierKey } from '../../registry/witness/note-lines.ts'
import type { PolicyCallView, PolicyPreview, PolicyValues, PolicyView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import { requireMember } from './peer-names.ts'
import { refOf } from './refs.ts'

export const policyView = ({ registry }: NetworkNode): PolicyView => {
  const { n, policy } = registry.replica.state.policyRow
  return { entry: n, policy: policyValues(policy) }
}

/** Values of a policy as answers have them. */
export const policyValues = ({
  criticalKinds,
  twoOperators,
  rules,
  tests,
  witnessKeys,
  ...values
}: Policy): PolicyView['policy'] => ({
  ...values,
  criticalKinds: [...criticalKinds],
  twoOperators: [...twoOperators],
  rules: [...rules],
  tests: [...tests],
  witnessKeys: witnessKeys.map(peerIdText)
})

/** The values that are given. @throws InvalidPayloadError */
export const policyChanges = ({ witnessKeys, ...changes }: PolicyValues): Partial<Policy> => {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const keys = witnessKeys?.map(witnessKeyOf).toSorted((a, b) => Buffer.compare(a, b))
  return { ...Object.fromEntries(given), ...(keys !== undefined && { witnessKeys: keys }) }
}

/** Changes of calls that a preview shows, and names of each kind of members. */
const shownCalls = 200
const shownNames = 3

/** Effects that a change would have on the policy that counts now, and on whom. */
export function previewPolicy({ registry }: NetworkNode, changes: PolicyValues): PolicyPreview {
  const { state } = registry.replica
  const { n, policy } = state.policyRow
  const changed = { ...policy, ...policyChanges(changes) }
  const [before, after] = [policyValues(policy), policyValues(changed)]
  const calls = changedCalls(policy, changed, state.members())
  return {
    entry: n,
    values: differing(before, after),
    calls: calls.slice(0, shownCalls).map(callOf),
    moreCalls: Math.max(0, calls.length - shownCalls),
    refusal: refusalOf(changed, state) ?? null,
    lockOut: whatItCosts(changed, state) ?? null
  }
}

const differing = (before: PolicyView['policy'], after: PolicyView['policy']): PolicyPreview['values'] => {
  const old = new Map<string, unknown>(Object.entries(before))
  return Object.entries(after)
    .map(([key, value]) => ({ key, before: old.get(key), after: value }))
    .filter((value) => !isDeepStrictEqual(value.before, value.after))
}

const callOf = ({ from, to, service, allowed }: ChangedCall): PolicyPreview['calls'][number] => ({
  from: alike(from),
  to: alike(to),
  service,
  allowed
})

const alike = ({ groups, names }: ChangedCall['from']): PolicyPreview['calls'][number]['from'] => ({
  groups: [...groups],
  members: names.length,
  names: names.slice(0, shownNames)
})

/** @throws NotFoundError, AmbiguousNameError */
export function policyCall(
  { registry }: NetworkNode,
  { from, to, service }: { from: string; to: string; service: string }
): PolicyCallView {
  const { policy } = registry.replica.state
  const [caller, called] = [requireMember(registry, from), requireMember(registry, to)]
  return {
    from: refOf(registry, caller.publicKey),
    to: refOf(registry, called.publicKey),
    service,
    allowed: mayCall(policy, caller, called, service),
    rule: ruleFor(policy, caller, called, service) ?? null
  }
}

/** Key of a witness as a PeerId, or as programs for notes write it. */
const witnessKeyOf = (written: string): Uint8Array =>
  written.includes('+') ? readVerifierKey(written) : publicKeyOf(written)
