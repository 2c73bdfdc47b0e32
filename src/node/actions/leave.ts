import { openEntry } from '../../registry/objects/entry.ts'
import { sealForgetRequest } from '../../registry/objects/forget-request.ts'
import { NotMemberError, RefusedError, UnavailableError } from '../../runtime/errors.ts'
import type { ChangeView } from '../api/views.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { selfRef } from '../views/refs.ts'

/** The answer must be out before its socket is closed. */
const answerMs = 100

export interface LeaveQuery {
  forget: boolean
  reason?: string | undefined
  plan?: boolean | undefined
}

/**
 * Leaves the network: the others see `left`, with forget the membership is over, and this process ends. With `plan` it says so, and stays.
 * @throws NotMemberError, RefusedError at the root, UnavailableError when forgetting needs a registry and none answers
 */
export async function leaveNetwork(
  node: NodeContext,
  network: NetworkNode,
  { forget, reason = 'left', plan = false }: LeaveQuery,
  signal: AbortSignal
): Promise<ChangeView> {
  if (network.registry.root !== undefined) {
    throw new RefusedError('the root cannot leave its network: stop it, or promote a secondary first')
  }
  if (!network.isMember()) throw new NotMemberError('this node is no member: there is nothing to leave, stop it')
  const self = selfRef(node)
  if (plan) {
    const then = forget
      ? 'its membership would be over and its name free: only a new invite brings it back'
      : 'it would be a member still, and come back when it is started again'
    return { ...self, entry: null, message: `would leave the network and stop; ${then}` }
  }
  // A node that hears that its membership is over would join again.
  node.leave()
  const forgotten = forget ? await forgetOrStay(node, network, signal) : undefined
  setTimeout(() => stop(node, reason), answerMs)
  return { ...self, entry: forgotten?.entry ?? null, message: messageOf(self.name, forgotten) }
}

const forgetOrStay: typeof forgetSelf = async (node, network, signal) => {
  try {
    return await forgetSelf(node, network, signal)
  } catch (error) {
    node.leave(false)
    throw error
  }
}

interface Forgotten {
  entry: number | null
}

const forgetSelf = async (node: NodeContext, network: NetworkNode, signal: AbortSignal): Promise<Forgotten> => {
  const { registry, session, trouble } = network
  if (session === undefined) {
    const why = trouble === undefined ? '' : `: ${trouble.message}`
    throw new UnavailableError(`no registry answers${why}; leave without --forget, or try again when one does`, 5_000)
  }
  const { publicKey } = node.key
  const membership = registry.replica.state.member(publicKey)?.admit.hash
  if (membership === undefined) throw new NotMemberError('this node is no member: there is nothing to leave, stop it')
  const request = sealForgetRequest({ networkId: registry.networkId, publicKey, membership }, node.key)
  try {
    const envelope = await session.session.forget(request.bytes, { signal })
    return { entry: envelope.length === 0 ? null : openEntry(envelope, registry.networkId).value.n }
  } catch (error) {
    // The registry keeps the request and hands it to the root.
    if (error instanceof Error && error.name === 'PendingError') return { entry: null }
    throw error
  }
}

const messageOf = (name: string | null, forgotten: Forgotten | undefined): string => {
  const left = `${name ?? 'this node'} leaves the network and stops`
  if (forgotten === undefined) return `${left}; it is a member still and comes back when it is started again`
  if (forgotten.entry === null) return `${left}; its membership ends as soon as the root is back`
  return `${left}; its membership is over, and its name free: it comes back with a new invite`
}

const stop = (node: NodeContext, reason: string): void => {
  node.stop(reason).catch((error: unknown) => {
    node.logging.logger.error({ error: String(error) }, 'this node left, but did not stop cleanly: end the process')
  })
}
