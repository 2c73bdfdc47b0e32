import { servesRegistry } from '../../identity/role.ts'
import { refreshDelayMs } from '../../protocols/announce/index.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { NodeParts } from '../node-parts.ts'
import type { Host } from './host-services.ts'

const lookMs = 10_000

/** Announces the own record anew now and then, and looks whether the gossip is heard by somebody, when there is somebody who could hear it. */
export const keepGossip = (
  { services, config }: Pick<NodeParts, 'services' | 'config'>,
  { trust, self, registry: { replica } }: Pick<NetworkParts, 'trust' | 'self' | 'registry'>,
  { services: { announce } }: Host
): void => {
  if (announce === undefined) return
  const look = (): void => {
    const isAlone = ![...trust.members()].some(({ member }) => servesRegistry(member.role))
    if (!isAlone && announce.meshSize() === 0) throw new Error('no connected member hears the gossip of this node')
  }
  services.run('gossip', { everyMs: lookMs, round: look })
  const everyMs = (): number => refreshDelayMs(config.gossip.refreshMs, replica.state.memberCount, Math.random())
  services.run('own record', {
    everyMs,
    round: async () => {
      const envelope = await self.refresh()
      if (envelope !== undefined) announce.announceRecord(envelope)
    }
  })
}
