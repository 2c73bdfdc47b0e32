import { peerIdText } from '../../identity/keys.ts'
import { NotRootError, UnavailableError } from '../../runtime/errors.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'

const retryMs = 2_000

/** The network of a node that is there to be asked. @throws UnavailableError before it was found, while it starts, when it stops */
export function requireNetwork(node: NodeContext): NetworkNode {
  if (node.isStopping) throw new UnavailableError('this process stops', retryMs)
  const network = node.attached
  if (network.port === 0)
    throw new UnavailableError('this process starts: it does not listen yet; ask again in a moment', retryMs)
  return network
}

/** @throws NotRootError that says who is the root */
export function requireRoot({ registry }: NetworkNode, needs: 'root' | 'operator' = 'root'): void {
  if (registry.root !== undefined && !registry.root.isReplaced) return
  const { state } = registry.replica
  const key = state.rootRegistry()?.publicKey
  if (key === undefined) throw new NotRootError('only the root can do that, and none is known here yet')
  const name = state.member(key)?.name
  const who = name === undefined ? peerIdText(key) : `${name} (${peerIdText(key)})`
  const or = needs === 'operator' ? ', or give the key of an operator with --as KEYFILE' : ''
  throw new NotRootError(`only the root can do that: run this on the machine of ${who}${or}`)
}
