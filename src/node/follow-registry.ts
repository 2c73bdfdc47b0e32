import type { Connection } from '@libp2p/interface'
import { isRegistryRole, type Role, servesRegistry } from '../identity/role.ts'
import type { ConnectionTrust } from '../protocols/engine/connection-trust.ts'
import type { RegistryEvents } from '../registry/events.ts'
import type { Checkpoint } from '../registry/objects/checkpoint.ts'
import type { Signed } from '../registry/objects/envelope.ts'
import type { NodeRecord } from '../registry/objects/record.ts'
import type { Registry } from '../registry/registry.ts'
import type { Logger } from '../runtime/clock-and-logger.ts'
import type { Host } from './host/host.ts'

export interface FollowInit {
  registry: Registry
  trust: ConnectionTrust
  host: Host
  logger: Logger
  isMember: () => boolean
  publishSelf: () => Promise<void>
  onNewPeers: () => void
  onRecord: (record: Signed<NodeRecord>) => void
  /** One that can hold the lease of this node. */
  onHolderConnected: (connection: Connection) => void
  /** A root or secondary. */
  onRegistryConnected: () => void
  /** This replica has a newer checkpoint. */
  onHead: (checkpoint: Checkpoint) => void
  onChange: () => void
}

/** Memberships end with entries and with time; a burst of entries is looked at once. */
const recheckMs = 100

/** Carries changes of the log and the records over to the host. Returns how to stop. */
export function followRegistry(init: FollowInit): () => void {
  const { registry, trust, host, logger, onChange, onNewPeers, onRecord } = init
  const { events, replica, liveness } = registry
  const stops: (() => void)[] = []
  const on = <K extends keyof RegistryEvents>(type: K, listener: (event: RegistryEvents[K]) => void): void => {
    events.addEventListener(type, listener)
    stops.push(() => events.removeEventListener(type, listener))
  }
  let recheck: NodeJS.Timeout | undefined
  const recheckSoon = (): void => {
    recheck ??= setTimeout(() => {
      recheck = undefined
      trust.recheck(
        (publicKey) => replica.isMember(publicKey),
        (publicKey) => replica.state.member(publicKey)
      )
    }, recheckMs).unref()
  }
  let wasMember = init.isMember()
  // A root without secondaries holds its lease at a member.
  const canHold = (role: Role): boolean => (registry.role === 'root' ? servesRegistry(role) : isRegistryRole(role))
  const closing = new Set<NodeJS.Timeout>()
  stops.push(() => closing.forEach(clearTimeout))

  on('ended', ({ detail }) => {
    // Not at once: whoever was shut out still gets the entry that says so, and one that asked for it the answer.
    const timer = setTimeout(() => {
      closing.delete(timer)
      trust.ended(detail.publicKey)
    }, recheckMs).unref()
    closing.add(timer)
  })
  on('entries', () => {
    recheckSoon()
    if (!wasMember && init.isMember()) sayHelloAgain(init)
    wasMember = init.isMember()
    init.publishSelf().catch((error: Error) => {
      logger.warn({ error: error.message }, 'the own record was not published; the next change or refresh does it')
    })
    onNewPeers()
    onChange()
  })
  on('checkpoint', ({ detail }) => {
    recheckSoon()
    host.services.announce?.announceHead(detail.checkpoint)
    init.onHead(detail.checkpoint.value)
    onChange()
  })
  on('record', ({ detail }) => {
    onRecord(detail.record)
    onNewPeers()
    onChange()
  })
  on('hint', onChange)
  on('pending', onChange)
  on('queued', onChange)
  on('alarm', onChange)
  stops.push(
    trust.onMember((connection, member) => {
      if (connection.direction === 'inbound') liveness.learned(member.publicKey, 'session')
      if (canHold(member.role)) init.onHolderConnected(connection)
      registry.admission.absence.met(member.publicKey)
      if (isRegistryRole(member.role)) init.onRegistryConnected()
      onChange()
    }),
    trust.onGone((_, member) => {
      registry.admission.absence.parted(member.publicKey)
      onChange()
    }),
    () => clearTimeout(recheck)
  )
  return () => {
    for (const stop of stops) stop()
  }
}

/** Those who took this node for a stranger learn that it is a member now. */
function sayHelloAgain({ host, trust, logger }: FollowInit): void {
  for (const { connection } of trust.members()) {
    if (connection.direction !== 'outbound') continue
    host.services.hello.again(connection).catch((error: Error) => {
      logger.debug(
        { peer: connection.remotePeer.toString(), error: error.message },
        'hello was not said again; the next connection shows the membership'
      )
    })
  }
}
