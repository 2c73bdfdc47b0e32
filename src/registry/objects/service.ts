import { at } from '../../identity/bytes.ts'
import { checkCount, checkName, checkText, maxTextChars, nameOfNumber } from '../../identity/checked-bytes.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { Service as ServiceMessage } from '../pb/registry.ts'

/** Ways to speak with a service; `libp2p` is a stream protocol of the node itself. The numbers are on the wire; a newer version's are `unknown`. */
export const serviceProtocols = { tcp: 0, udp: 1, libp2p: 2 } as const
export type ServiceProtocol = keyof typeof serviceProtocols

/** Results of the node's own check. A newer version's are `unknown`. */
export const serviceStates = { unknown: 0, passing: 1, failing: 2, maintenance: 3 } as const
export type ServiceState = keyof typeof serviceStates

/** Something that a node offers to the others. */
export interface Service {
  /** A label of DNS; one record has it once. */
  name: string
  /** On the addresses of the record; 0 with `libp2p` alone. */
  port: number
  protocol: ServiceProtocol | 'unknown'
  /** Ascending. */
  tags: readonly string[]
  state: ServiceState
}

export const maxServices = 16
export const maxServiceTags = 8
const maxPort = 65_535

export const serviceOf = ({ name, port, protocol, tags, state }: ServiceMessage): Service => ({
  name,
  port,
  protocol: nameOfNumber(serviceProtocols, protocol) ?? 'unknown',
  tags,
  state: nameOfNumber(serviceStates, state) ?? 'unknown'
})

/** @throws InvalidPayloadError for a protocol that has no number here: it was read, and is not written again */
export function serviceMessage({ protocol, tags, state, ...service }: Service): ServiceMessage {
  if (protocol === 'unknown') throw new InvalidPayloadError(`the protocol of service ${service.name} is not known`)
  return { ...service, protocol: serviceProtocols[protocol], tags: [...tags], state: serviceStates[state] }
}

/** @throws InvalidPayloadError */
export function checkServices(services: readonly Service[]): void {
  if (services.length > maxServices) throw new InvalidPayloadError(`the record has more than ${maxServices} services`)
  checkAscending(
    services.map(({ name }) => name),
    'services of the record'
  )
  for (const service of services) checkService(service)
}

function checkService({ name, port, protocol, tags }: Service): void {
  checkName(name, 'name of a service of the record')
  // A protocol of a newer version may have ports or none: nobody knows here.
  const least = protocol === 'tcp' || protocol === 'udp' ? 1 : 0
  checkCount(port, least, protocol === 'libp2p' ? 0 : maxPort, `port of service ${name}`)
  if (tags.length > maxServiceTags)
    throw new InvalidPayloadError(`service ${name} has more than ${maxServiceTags} tags`)
  for (const tag of tags) checkText(tag, 1, maxTextChars, `tag of service ${name}`)
  checkAscending(tags, `tags of service ${name}`)
}

/** One way to write a set: ascending by UTF-8, each once. */
function checkAscending(values: readonly string[], what: string): void {
  const bytes = values.map((value) => Buffer.from(value))
  const ascends = bytes.every((value, index) => index === 0 || Buffer.compare(at(bytes, index - 1), value) < 0)
  if (!ascends) throw new InvalidPayloadError(`${what} must ascend, each once`)
}

/** Bytes that services take in a record, whatever their checks say. */
export const servicesBytes = (services: readonly Service[]): number =>
  services.reduce((sum, service) => sum + bytesOf({ ...service, state: 'passing' }), 0)

/** With its tag and its length. */
const bytesOf = (service: Service): number => ServiceMessage.encode(serviceMessage(service)).length + 3

/** Gives the services as a record names them. */
export const sortedServices = (services: readonly Service[]): Service[] =>
  services
    .map((service) => ({ ...service, tags: [...new Set(service.tags)].toSorted(byBytes) }))
    .toSorted((a, b) => byBytes(a.name, b.name))

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
