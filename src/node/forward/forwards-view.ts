import { peerIdText } from '../../identity/keys.ts'
import { wallTimeOf } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, NotFoundError } from '../../runtime/errors.ts'
import type { ExposedView, ForwardsView, PeerRef, StatusView } from '../api/control-api.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { refOf } from '../views/refs.ts'
import type { ForwardParts } from './forwards.ts'

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
      ...memberRef(network, publicKey),
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

const mostInShort = 4

/** The same in short: their numbers, and who has most of them. */
export function forwardsInShort(
  { exposed, listeners, live }: ForwardParts,
  network: NetworkNode | undefined
): StatusView['forwards'] {
  const all = live.list()
  const ins = all.filter(({ direction }) => direction === 'in').length
  const groups = Map.groupBy(all, ({ direction, peer, service }) => `${direction} ${peer} ${service}`)
  const most = [...groups.values()].toSorted((a, b) => b.length - a.length).slice(0, mostInShort)
  return {
    exposed: exposed.length,
    listeners: listeners.length,
    in: ins,
    out: all.length - ins,
    most: most.flatMap(([first, ...others]) =>
      first === undefined
        ? []
        : {
            ...memberRef(network, first.publicKey),
            service: first.service,
            direction: first.direction,
            count: 1 + others.length
          }
    )
  }
}

const memberRef = (network: NetworkNode | undefined, publicKey: Uint8Array): PeerRef =>
  network === undefined ? { peerId: peerIdText(publicKey), name: null } : refOf(network.registry, publicKey)

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
