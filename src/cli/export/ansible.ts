import type { Output } from '../../node/api/control-api.ts'
import type { AddressesOf } from '../../node/names/named-addresses.ts'
import { plainText } from '../../node/names/plain-text.ts'
import { type NamedRow, namedRows } from './named-rows.ts'

type Hosts = Record<string, object>

/**
 * An inventory of Ansible, as JSON, which its YAML plugin reads. Ansible takes `{{ … }}` in a value for a program of its own: no text of
 * a member comes here as it is.
 */
export const ansibleText = (
  view: Output<'peers'>,
  addressesOf: AddressesOf,
  { members }: Output<'members'>
): string => {
  const groupsOf = new Map(members.map(({ peerId, groups }) => [peerId, groups]))
  const named = namedRows(view, addressesOf)
  const children = new Map<string, Hosts>()
  for (const member of named) {
    for (const group of inventoryGroups(member, groupsOf.get(member.row.peerId) ?? [])) {
      children.set(group, { ...children.get(group), [member.name]: {} })
    }
  }
  const hosts: Hosts = Object.fromEntries(named.map((member) => [member.name, variables(member)]))
  const groups = Object.fromEntries(
    [...children].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([group, its]) => [group, { hosts: its }])
  )
  return JSON.stringify({ all: { hosts, children: groups } }, undefined, 2)
}

const variables = ({ row, fqdn, addresses: [ip] }: NamedRow): object => ({
  ansible_host: ip,
  trustnet_fqdn: fqdn,
  trustnet_peer_id: row.peerId,
  trustnet_role: row.role,
  trustnet_state: row.state,
  trustnet_version: row.version === null ? null : plainText(row.version),
  trustnet_tags: row.tags.map(plainText),
  trustnet_services: Object.fromEntries(row.services.map(({ name, port, protocol }) => [name, { port, protocol }]))
})

const inventoryGroups = ({ row }: NamedRow, groups: readonly string[]): string[] => [
  ...(row.role === null ? [] : [`role_${row.role}`]),
  `state_${row.state}`,
  ...groups.map((group) => groupName('group', group)),
  ...row.services.map(({ name }) => groupName('service', name)),
  ...row.tags.map((tag) => groupName('tag', tag))
]

/** A name of Python, which is what groups may be called. */
const groupName = (kind: string, text: string): string => `${kind}_${text.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`
