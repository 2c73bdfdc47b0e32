import { peerIdText } from '../../identity/keys.ts'
import type { Registry } from '../../registry/registry.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { PingMonitor } from '../peers/ping-monitor.ts'
import type { Replicator } from '../replication/replicator.ts'
import type { SessionView } from './types.ts'

/** All members of a registry that died ping each other. */
const perMemberMs = 10

interface LossParts {
  registry: Registry
  logger: Logger
  pingMonitor: PingMonitor | undefined
  sync: Replicator | undefined
}

/** The session with a registry ended: nobody speaks for its members until they are heard elsewhere, so they are pinged, and somebody is asked. */
export function askAboutMembersOf(
  { peer }: SessionView,
  reason: string,
  { registry, logger, pingMonitor, sync }: LossParts
): void {
  const { liveness, records, replica } = registry
  const { memberCount } = replica.state
  liveness.sourceGone(peer.publicKey, reason)
  const fields = { peer: peerIdText(peer.publicKey), reason }
  logger.warn(fields, 'the session with the registry ended; another registry is tried at once')
  const pings = pingMonitor?.look(memberCount * perMemberMs, peer.connection)
  inBackground(pings, 'pinging the members of a lost registry')
  const holder = records.read(peer.publicKey)?.registryKey
  inBackground(sync?.lost(holder, memberCount), 'pulling after a lost registry')
}
