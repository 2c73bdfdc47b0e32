import { peerIdText } from '../../identity/keys.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'

/** Ends of one look: the others wait for the next one. */
const maxAtOnce = 100

/** Ends the memberships of ephemeral members that have been offline for as long as their invite says. */
export async function endEphemeral({ admission, liveness, replica }: Registry, logger: Logger): Promise<void> {
  const over: { publicKey: Uint8Array; name: string }[] = []
  for (const { publicKey, name, ephemeralMs } of replica.state.members()) {
    if (ephemeralMs === undefined) continue
    const { state, confirmed, sinceAgeMs = 0 } = liveness.view(publicKey)
    const isAway = (state === 'offline' || state === 'left') && confirmed
    if (isAway && sinceAgeMs >= ephemeralMs && over.push({ publicKey, name }) === maxAtOnce) break
  }
  for (const { publicKey, name } of over) {
    await admission.members.end(publicKey, 'ephemeral, and offline')
    logger.info({ peer: peerIdText(publicKey), name }, 'the membership of an ephemeral member that is offline is over')
  }
}
