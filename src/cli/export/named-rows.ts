import type { Output, PeerRow } from '../../node/api/control-api.ts'
import { isLabel } from '../../node/config/domain.ts'
import type { AddressesOf } from '../../node/names/named-addresses.ts'

/** A member that other programs can name and reach. */
export interface NamedRow {
  readonly row: PeerRow
  /** As programs may call it: its name, or the whole one where a machine means itself by it, or Ansible all of them. */
  readonly name: string
  /** Its whole name in DNS. */
  readonly fqdn: string
  /** IPv6 addresses, at least one. */
  readonly addresses: readonly [string, ...string[]]
}

const taken: ReadonlySet<string> = new Set(['localhost', 'ip6-localhost', 'ip6-loopback', 'all', 'ungrouped'])

/** Members with a name and an address, without those that left. */
export const namedRows = ({ peers, network }: Output<'peers'>, addressesOf: AddressesOf): NamedRow[] =>
  peers.flatMap((row) => {
    const { name, state } = row
    const [first, ...others] = addressesOf(row)
    if (name === null || !isLabel(name) || first === undefined || state === 'left') return []
    const fqdn = `${name}.${network?.domain ?? 'invalid'}`
    return [{ row, name: taken.has(name) ? fqdn : name, fqdn, addresses: [first, ...others] }]
  })

/** Each name of it once, the whole one first. */
export const namesOf = ({ fqdn, name }: NamedRow): string => [...new Set([fqdn, name])].join(' ')

/** Says in a comment what the file is, and when it was so. */
export const headLine = ({ network, view, generatedAt }: Output<'peers'>): string =>
  `# Members of ${network?.domain ?? 'no network yet'}, as ${view.name ?? view.peerId} saw them (${generatedAt}): trustnet export makes it.`
