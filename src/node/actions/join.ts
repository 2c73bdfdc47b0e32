import { networkFingerprint, networkIdText } from '../../identity/network-id.ts'
import { decodeInvite, type Invite } from '../../registry/objects/invite.ts'
import { either, within } from '../../runtime/abort.ts'
import { InviteInvalidError, UnavailableError, WrongNetworkError } from '../../runtime/errors.ts'
import { isForGood } from '../../runtime/failures.ts'
import type { JoinView } from '../api/views.ts'
import type { NodeContext } from '../node-context.ts'

/** Time for which the answer is waited for before the caller is told that it is being tried. */
const waitMs = 20_000

/**
 * Hands an invite to this process, which joins with it from now on, and waits a while for what comes of it.
 * @throws InviteInvalidError, WrongNetworkError, and what the registry refuses with
 */
export async function joinWith(node: NodeContext, line: string, signal: AbortSignal): Promise<JoinView> {
  if (node.isStopping) throw new UnavailableError('this process stops: start it again with the invite', 2_000)
  const invite = decodeInvite(line)
  checkNetwork(node, invite)
  const network = { id: networkIdText(invite.networkId), domain: invite.domain }
  const view = (state: JoinView['state'], message: string): JoinView => ({ state, network, message })
  if (node.network?.isMember() === true)
    return view('admitted', 'this node is a member already; the invite was not used')
  checkGrant(node, invite)
  const before = node.network?.trouble
  node.invites.use(invite)
  node.retry()
  const news = (): Error | undefined => (node.network?.trouble === before ? undefined : node.network?.trouble)
  const isDecided = (): boolean => node.network?.isMember() === true || isAnswer(news())
  await node.until(isDecided, within(waitMs, either(signal, node.signal))).catch(() => undefined)
  signal.throwIfAborted()
  if (node.network?.isMember() === true) return view('admitted', `admitted as ${node.config.name}`)
  const trouble = news()
  if (trouble !== undefined && isForGood(trouble)) throw trouble
  if (trouble?.name === 'PendingError') return view('pending', trouble.message)
  const why = trouble === undefined ? 'no registry has answered yet' : trouble.message
  return view('trying', `${why}; this node goes on trying with the invite`)
}

const isAnswer = (error: Error | undefined): boolean =>
  error !== undefined && (isForGood(error) || error.name === 'PendingError')

const checkNetwork = (node: NodeContext, { networkId, domain }: Invite): void => {
  const held = node.network?.registry.networkId ?? node.pin
  if (held === undefined || Buffer.compare(held, networkId) === 0) return
  throw new WrongNetworkError(
    `this node belongs to ${networkIdText(held)} (${networkFingerprint(held)}), the invite is for ` +
      `${networkIdText(networkId)} (${networkFingerprint(networkId)}) of ${domain}: nothing was changed. ` +
      'Join with a node of another name and data folder'
  )
}

/** The registry would say the same later. */
const checkGrant = ({ config }: NodeContext, { grant }: Invite): void => {
  const { role, name } = grant
  if (role !== config.role) {
    throw new InviteInvalidError(
      `the invite is for the role ${role}, this process is ${config.role}: ask for one with --role ${config.role}`
    )
  }
  if (name !== undefined && name !== config.name) {
    throw new InviteInvalidError(
      `the invite is for the name ${name}, this node is called ${config.name}: ask for one without a name, or rename it`
    )
  }
}
