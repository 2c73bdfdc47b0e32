import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import type { Author } from '../../registry/admission/orders/author.ts'
import type { Policy } from '../../registry/objects/policy/policy.ts'
import type { PolicyChanges, PolicyView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'

export const policyView = ({ registry }: NetworkNode): PolicyView => {
  const { n, policy } = registry.replica.state.policyRow
  return { schemaVersion: 1, entry: n, policy: shown(policy) }
}

const shown = ({
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

/** @throws InvalidPayloadError */
export async function changePolicy(
  network: NetworkNode,
  { force = false, seen, ...changes }: PolicyChanges,
  author: Author
): Promise<PolicyView> {
  const options = { force, by: author, ...(seen !== undefined && { seen }) }
  await network.registry.admission.changePolicy(policyChanges(changes), options)
  return policyView(network)
}

/** The values that are given. @throws InvalidPayloadError */
const policyChanges = ({ witnessKeys, ...changes }: Omit<PolicyChanges, 'force' | 'seen'>): Partial<Policy> => {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const keys = witnessKeys?.map(publicKeyOf).toSorted((a, b) => Buffer.compare(a, b))
  return { ...Object.fromEntries(given), ...(keys !== undefined && { witnessKeys: keys }) }
}
