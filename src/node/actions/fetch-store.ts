import { peerIdText } from '../../identity/keys.ts'
import { servesRegistry } from '../../identity/role.ts'
import { SyncCursors, sync } from '../../protocols/sync/index.ts'
import { openRegistry } from '../../registry/registry.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import type { FetchView } from '../api/registry-views.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { requireMember } from '../views/peer-names.ts'
import { refuseTaken } from './backup.ts'
import { connectionToMember } from './connect.ts'

/**
 * Asks a member for all that it has of log and records, and keeps what is right in a store of its own.
 * @throws NotFoundError; InvalidPayloadError for one that serves nobody, or a file that is there; UnavailableError
 */
export async function fetchStore(
  node: NodeContext,
  network: NetworkNode,
  { peer, to }: { peer: string; to: string },
  signal: AbortSignal
): Promise<FetchView> {
  refuseTaken(to)
  const member = requireMember(network.registry, peer)
  if (!servesRegistry(member.role))
    throw new InvalidPayloadError(`${member.name} is ${member.role}: it keeps no records`)
  const connection = await connectionToMember(node, member, signal)
  const { genesis } = network.registry
  await using copy = await openRegistry({ path: to, role: 'external', nodeKey: node.key, genesis: genesis.bytes })
  const refused = await sync(connection, copy, {
    limits: network.limits,
    logger: node.logging.logger,
    subscribe: false,
    records: true,
    cursors: new SyncCursors(),
    signal
  }).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error))
  )
  signal.throwIfAborted()
  return { peerId: peerIdText(member.publicKey), name: member.name, path: to, refused }
}
