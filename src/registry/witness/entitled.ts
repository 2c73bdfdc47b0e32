import { equals } from 'uint8arrays/equals'
import type { NetworkState } from '../log/state/network-state.ts'

type State = Pick<NetworkState, 'policy' | 'registries' | 'registry' | 'rootRegistry' | 'isRevoked'>

/** The root signs the checkpoint itself: its second word would add nothing. */
const isRoot = (state: State, publicKey: Uint8Array): boolean => {
  const root = state.rootRegistry()
  return root !== undefined && equals(root.publicKey, publicKey)
}

/** True for a key whose cosignatures count: the policy names it or, where that names nobody, it is of a secondary in the set of registries. */
export function isWitness(state: State, publicKey: Uint8Array): boolean {
  const { witnessKeys } = state.policy
  const isNamed =
    witnessKeys.length === 0
      ? state.registry(publicKey) !== undefined
      : witnessKeys.some((each) => equals(each, publicKey))
  return isNamed && !isRoot(state, publicKey) && !state.isRevoked(publicKey)
}

/** Keys whose cosignatures count. */
export function witnessesOf(state: State): Uint8Array[] {
  const { witnessKeys } = state.policy
  const named = witnessKeys.length === 0 ? state.registries().map(({ publicKey }) => publicKey) : witnessKeys
  return named.filter((publicKey) => isWitness(state, publicKey))
}
