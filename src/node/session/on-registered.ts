import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import type { Registered } from '../../protocols/register/index.ts'
import type { RootRequest } from '../../registry/admission/root-request-queue.ts'
import type { Registry } from '../../registry/registry.ts'
import type { NodeParts } from '../node-parts.ts'
import { handOver } from './hand-over.ts'
import type { RootForwarder } from './root-forwarder.ts'
import type { SessionView } from './types.ts'

/** The registry that holds the lease has taken us in: it is a source from now on, and the way to the root. Resolves when what it told is stored. */
export async function takeIn(
  { services, logging: { logger } }: Pick<NodeParts, 'services' | 'logging'>,
  { registry, forwarder }: { registry: Registry; forwarder: RootForwarder },
  view: SessionView,
  answer: Registered
): Promise<void> {
  const { publicKey, name, connection } = view.peer
  registry.liveness.sourceUp(publicKey)
  registry.liveness.selfProof()
  if (leadsToRoot(registry.role, view.peer.role)) forwarder.open(async (request) => await forward(view, request))
  else forwarder.close()
  const fields = { peer: peerIdText(publicKey), ipv6_addr: connection.remoteAddr.toString() }
  logger.info(fields, `registered at ${name || 'the registry'}`)
  const toRoot = view.peer.role === 'root'
  handOver(services, { replica: registry.replica, session: view.session, toRoot, logger })
  const envelopes = [...answer.registries, ...answer.peers]
  await Promise.allSettled(envelopes.map(async (bytes) => await registry.records.put(bytes, { source: 'registry' })))
}

/** Two that hold each other's lease while the root is away would pass one request to and fro: it goes to the root, or one step before it. */
const leadsToRoot = (own: Role, holder: Role): boolean =>
  holder === 'root' || (holder === 'secondary' && own !== 'secondary')

const forward = async ({ session }: SessionView, request: RootRequest): Promise<{ entry: Uint8Array }> => {
  if (request.kind === 'join') return { entry: await session.forwardJoin(request) }
  if (request.kind === 'rotate') return { entry: await session.rotate(request) }
  return { entry: await session[request.kind](request.request) }
}
