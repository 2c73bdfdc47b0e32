import { peerIdText } from '../../identity/keys.ts'
import { wallTimeOf } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, NotFoundError } from '../../runtime/errors.ts'
import type { ExposedView, ForwardsView } from '../api/control-api.ts'
import type { NodeContext } from '../node-context.ts'
import { refOf } from '../views/refs.ts'

/** Services that members use of each other, as this node sees it. */
export function forwardsView({ forwards, network, clock }: NodeContext): ForwardsView {
  return {
    exposed: [...forwards.exposed],
    listeners: forwards.listeners.map(({ address, peer = null, service, open, taken, failed }) => ({
      address,
      peer,
      service,
      open,
      taken,
      failed
    })),
    live: forwards.live.list().map(({ publicKey, service, direction, beganAt, bytesIn, bytesOut, waitingBytes }) => ({
      ...(network === undefined ? { peerId: peerIdText(publicKey), name: null } : refOf(network.registry, publicKey)),
      service,
      direction,
      sinceMs: wallTimeOf(clock, beganAt),
      bytesIn,
      bytesOut,
      waitingBytes
    })),
    totals: { in: { ...forwards.live.totals.in }, out: { ...forwards.live.totals.out } }
  }
}

/** Exposes a service; without an address the one that is announced with its port. @throws InvalidPayloadError, LimitError */
export function expose({ forwards, announced }: NodeContext, name: string, to: string | undefined): ExposedView {
  const port = announced.offers().find(({ service }) => service.name === name)?.service.port
  const address = to ?? (port === undefined || port === 0 ? undefined : `[::1]:${port}`)
  if (address === undefined)
    throw new InvalidPayloadError(
      `no service ${name} with a port is announced here, so its address is not known: --to [::1]:PORT or --to unix:PATH`
    )
  const service = forwards.expose(name, address)
  return { ...service, message: 'members may call it now, as the policy of the network allows' }
}

/** @throws NotFoundError */
export function unexpose({ forwards }: NodeContext, name: string): ExposedView {
  const service = forwards.unexpose(name)
  if (service === undefined) throw new NotFoundError(`${name} is not exposed here: \`trustnet expose\` lists what is`)
  return { ...service, message: 'nobody calls it here any more, and its forwards were ended' }
}
