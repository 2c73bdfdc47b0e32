import type { PeerRow, PeersView } from '../api/views.ts'
import { isLabel } from '../config/domain.ts'
import type { AddressesOf } from './named-addresses.ts'
import { plainText } from './plain-text.ts'

/** Targets with their labels, as Prometheus' file and HTTP service discovery read them. */
export interface TargetGroup {
  targets: string[]
  labels: Record<string, string>
}

export interface TargetFilter {
  readonly service?: string | undefined
  /** A tag of the member or of the service. */
  readonly tag?: string | undefined
  /** Every member at this port in place of its services. */
  readonly port?: number | undefined
}

/** One group for each service that a member announces on a TCP port, or for each member at a port; those that left are left out. */
export const prometheusTargets = (
  { peers, network }: Pick<PeersView, 'peers' | 'network'>,
  addressesOf: AddressesOf,
  filter: TargetFilter = {}
): TargetGroup[] =>
  peers.flatMap((row) => {
    const [ip] = addressesOf(row)
    if (ip === undefined || !isLabel(row.name ?? '') || row.state === 'left') return []
    const labels = labelsOf(row, network?.domain ?? '')
    if (filter.port !== undefined) return fits(row, filter) ? [{ targets: [`[${ip}]:${filter.port}`], labels }] : []
    return row.services
      .filter((service) => service.protocol === 'tcp' && fits({ tags: row.tags, services: [service] }, filter))
      .map((service) => ({ targets: [`[${ip}]:${service.port}`], labels: { ...labels, ...serviceLabels(service) } }))
  })

type Service = PeerRow['services'][number]

type Announced = Pick<PeerRow, 'tags' | 'services'>

export const hasTag = ({ tags, services }: Announced, tag: string): boolean =>
  tags.includes(tag) || services.some((service) => service.tags.includes(tag))

const fits = (announced: Announced, { service, tag }: TargetFilter): boolean =>
  (service === undefined || announced.services.some(({ name }) => name === service)) &&
  (tag === undefined || hasTag(announced, tag))

const labelsOf = (row: PeerRow, domain: string): Record<string, string> => ({
  member: row.name ?? '',
  __meta_trustnet_domain: domain,
  __meta_trustnet_peer_id: row.peerId,
  __meta_trustnet_role: row.role ?? '',
  __meta_trustnet_state: row.state,
  __meta_trustnet_version: plainText(row.version ?? ''),
  __meta_trustnet_tags: listed(row.tags)
})

const serviceLabels = ({ name, state, tags }: Service): Record<string, string> => ({
  service: name,
  __meta_trustnet_service_state: state,
  __meta_trustnet_service_tags: listed(tags)
})

/** With a comma before and behind each, so that a pattern finds a whole one: `.*,TAG,.*`. */
const listed = (tags: readonly string[]): string => (tags.length === 0 ? '' : `,${tags.map(plainText).join(',')},`)
