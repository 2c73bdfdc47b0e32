import type { Member } from '../../registry/log/state/network-state.ts'
import { mayCall } from '../../registry/objects/policy/call-rules.ts'
import { NotAllowedError, NotFoundError } from '../../runtime/errors.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { connectionsOf, shownState } from '../views/member-rows.ts'
import { refOf } from '../views/refs.ts'
import { rowSourceOf } from '../views/row-source.ts'

/** Members that are tried for one connection. */
const most = 8
const pageRows = 500

/**
 * Members that are up, announce the service as well, and may be called by the rules: anybody may announce any name. Those that answer
 * soonest are first.
 * @throws NotFoundError when there are none, NotAllowedError when the rules allow none of them
 */
export function candidatesFor(node: NodeContext, network: NetworkNode, service: string): Member[] {
  const { registry } = network
  const { n, policy } = registry.replica.state.policyRow
  const self = registry.replica.state.member(node.key.publicKey)
  let isForbidden = false
  const source = rowSourceOf(node, network)
  const connections = connectionsOf(network.trust)
  const found: { member: Member; rttMs: number }[] = []
  let after: Uint8Array | undefined
  do {
    const page = registry.lookup({ service, limit: pageRows, ...(after !== undefined && { after }) })
    for (const { publicKey } of page.rows) {
      const member = registry.replica.state.member(publicKey)
      if (member === undefined || Buffer.compare(publicKey, node.key.publicKey) === 0) continue
      if (!isWell(network, publicKey, service) || shownState(source, publicKey, connections) !== 'online') continue
      if (self !== undefined && !mayCall(policy, self, member, service)) {
        isForbidden = true
        continue
      }
      found.push({ member, rttMs: network.rttMs(refOf(registry, publicKey).peerId) ?? Number.POSITIVE_INFINITY })
    }
    after = page.next
  } while (after !== undefined)
  if (found.length === 0) throw isForbidden ? noRule(service, n) : noneHasIt(service)
  // Whoever is not connected is tried in another order each time.
  const mixed = found.map((each) => ({ ...each, lot: Math.random() }))
  return mixed
    .toSorted((a, b) => (a.rttMs === b.rttMs ? a.lot - b.lot : a.rttMs - b.rttMs))
    .slice(0, most)
    .map(({ member }) => member)
}

const noRule = (service: string, n: number): Error =>
  new NotAllowedError(
    `no rule of the policy (log entry ${n}) lets this node call ${service} at a member that has it`,
    n
  )

const noneHasIt = (service: string): Error =>
  new NotFoundError(
    `no other member that is online has a service ${service} that is well: trustnet lookup --service ${service}`
  )

const isWell = ({ registry }: NetworkNode, publicKey: Uint8Array, service: string): boolean => {
  const state = registry.records.read(publicKey)?.services.find(({ name }) => name === service)?.state
  return state !== undefined && state !== 'failing' && state !== 'maintenance'
}
