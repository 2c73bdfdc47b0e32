import type { Output, PeerRow } from '../../node/api/control-api.ts'
import { isLabel } from '../../node/config/domain.ts'
import { rowAddresses } from '../../node/names/named-addresses.ts'

/** A member that other programs can name and reach. */
export interface NamedRow {
  readonly row: PeerRow
  readonly name: string
  /** Its whole name in DNS. */
  readonly fqdn: string
  /** IPv6 addresses, at least one. */
  readonly addresses: readonly [string, ...string[]]
}

/** Members with a name and an address, without those that left. */
export const namedRows = ({ peers, network }: Output<'peers'>): NamedRow[] => {
  const addressesOf = rowAddresses(peers)
  return peers.flatMap((row) => {
    const { name, state } = row
    const [first, ...others] = addressesOf(row)
    if (name === null || !isLabel(name) || first === undefined || state === 'left') return []
    return [{ row, name, fqdn: `${name}.${network?.domain ?? 'invalid'}`, addresses: [first, ...others] }]
  })
}

/** Says in a comment what the file is, and when it was so. */
export const headLine = ({ network, view, generatedAt }: Output<'peers'>): string =>
  `# Members of ${network?.domain ?? 'no network yet'}, as ${view.name ?? view.peerId} saw them (${generatedAt}): trustnet export makes it.`
