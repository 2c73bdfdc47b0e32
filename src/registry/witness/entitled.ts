import { equals } from 'uint8arrays/equals'
import { compareBytes } from '../../identity/hash.ts'
import type { NetworkState } from '../log/state/network-state.ts'
import type { Policy } from '../objects/policy/policy.ts'

type Registries = Pick<NetworkState, 'registries' | 'registry' | 'rootRegistry' | 'isRevoked'>
type State = Registries & Pick<NetworkState, 'policy'>

/** Witnesses of a network at most: as many as a policy can name, and as one message brings words of. */
export const maxWitnesses = 16

/**
 * True for a key whose cosignatures count: the policy names it or, where that names nobody, it is of a secondary in the set of registries, one of the
 * lowest keys where there are many.
 */
export function isWitness(state: State, publicKey: Uint8Array): boolean {
  // Most members are neither.
  if (state.policy.witnessKeys.length === 0 && state.registry(publicKey) === undefined) return false
  return witnessesOf(state).some((each) => equals(each, publicKey))
}

/** Keys whose cosignatures count. Not that of the root, which signs the checkpoint itself: its second word would add nothing. */
export const witnessesOf = (state: State): Uint8Array[] => witnessesBy(state.policy, state)

/** Those that a policy would have. */
export function witnessesBy({ witnessKeys }: Pick<Policy, 'witnessKeys'>, state: Registries): Uint8Array[] {
  const named = witnessKeys.length === 0 ? state.registries().map(({ publicKey }) => publicKey) : witnessKeys
  const root = state.rootRegistry()?.publicKey
  const isRoot = (publicKey: Uint8Array): boolean => root !== undefined && equals(root, publicKey)
  const keys = named.filter((publicKey) => !isRoot(publicKey) && !state.isRevoked(publicKey))
  return keys.length <= maxWitnesses ? keys : keys.toSorted(compareBytes).slice(0, maxWitnesses)
}
