import { servesRegistry } from '../../identity/role.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import type { Host } from './host-services.ts'

const lookMs = 10_000

/** Looks whether this node's gossip is heard by somebody, when there is somebody who could hear it. */
export const watchGossip = (services: Supervisor, { services: { announce } }: Host, trust: ConnectionTrust): void => {
  if (announce === undefined) return
  const look = (): void => {
    const isAlone = ![...trust.members()].some(({ member }) => servesRegistry(member.role))
    if (!isAlone && announce.meshSize() === 0) throw new Error('no connected member hears the gossip of this node')
  }
  services.run('gossip', { everyMs: lookMs, round: look })
}
