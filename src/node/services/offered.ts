import { checkServices, type Service, type ServiceProtocol, sortedServices } from '../../registry/objects/service.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { targetText } from '../forward/target.ts'

/** A service as a configuration, a command or a program names it. */
export interface ServiceInit {
  /** A label of DNS; a node has it once. */
  readonly name: string
  /** Without one it is a stream protocol of the node itself. */
  readonly port?: number | undefined
  /** Default: tcp, or libp2p without a port. */
  readonly protocol?: ServiceProtocol | undefined
  readonly tags?: readonly string[] | undefined
  /** `tcp`, or `http://[::1]:PORT/PATH`; without it nothing checks the service. */
  readonly check?: string | undefined
  /** Time between two checks; 10 s by default. */
  readonly everyMs?: number | undefined
  /**
   * True: members may call it through this node, as the policy allows. `unix:PATH` or `[::1]:PORT` says where it is, when that is not its
   * port at `::1`. Of a service of the configuration.
   */
  readonly expose?: boolean | string | undefined
}

/** A service that this node offers to the others. */
export interface Offered extends Omit<Service, 'state' | 'protocol'> {
  readonly protocol: ServiceProtocol
  readonly check?: string
  readonly everyMs?: number
  /** The address on this machine at which members reach it: `[::1]:22` or `unix:/run/app.sock`. */
  readonly expose?: string
}

export const checkEveryMs = 10_000
const leastEveryMs = 1_000
const mostEveryMs = 86_400_000
const maxCheckChars = 256
/** A record has 1,024 bytes: the rest is for keys, addresses, relays and a maintenance. */
export const maxServicesBytes = 512

/** Judges what somebody wants to offer. @throws InvalidPayloadError that says what is wrong */
export function offered(init: ServiceInit): Offered {
  const { name, port = 0, tags = [], check, everyMs } = init
  const protocol = init.protocol ?? (init.port === undefined ? 'libp2p' : 'tcp')
  const services = sortedServices([{ name, port, protocol, tags, state: 'unknown' }])
  checkServices(services)
  if (everyMs !== undefined && !(everyMs >= leastEveryMs && everyMs <= mostEveryMs))
    throw new InvalidPayloadError('a check runs every 1s to 1d')
  return {
    name,
    port,
    protocol,
    tags: services[0]?.tags ?? [],
    ...(check !== undefined && { check: checkText(check, port), everyMs: everyMs ?? checkEveryMs }),
    ...exposure(init, protocol)
  }
}

function exposure({ expose = false, port }: ServiceInit, protocol: ServiceProtocol): Pick<Offered, 'expose'> {
  if (expose === false) return {}
  if (protocol === 'udp' || (expose === true && port === undefined))
    throw new InvalidPayloadError('only a service of tcp can be exposed')
  return { expose: targetText(expose === true ? `[::1]:${port}` : expose) }
}

/** A check in its one spelling. It asks this machine alone: whoever names it must not send requests of this node anywhere. */
function checkText(check: string, port: number): string {
  if (check === 'tcp') {
    if (port === 0) throw new InvalidPayloadError('the check tcp needs a service with a port')
    return check
  }
  const url = check.length > maxCheckChars ? null : URL.parse(check)
  const isLoopback = url?.protocol === 'http:' && url.hostname === '[::1]' && url.username === '' && url.password === ''
  if (url === null || !isLoopback || url.port === '0')
    throw new InvalidPayloadError('a check is tcp, or http://[::1]:PORT/PATH: it asks this machine alone')
  url.hash = ''
  return url.href
}

/** The service as a record names it. */
export const announcedAs = ({ name, port, protocol, tags }: Offered, state: Service['state']): Service => ({
  name,
  port,
  protocol,
  tags,
  state
})
