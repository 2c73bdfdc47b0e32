import type { Output, PeerRow } from '../../node/api/control-api.ts'
import type { AddressesOf } from '../../node/names/named-addresses.ts'
import { plainText } from '../../node/names/plain-text.ts'
import { unknown } from '../output/text.ts'

/** A table with tabs between its columns and lists by comma; `-` is unknown or none. */
export const tsvText = ({ peers }: Output<'peers'>, addressesOf: AddressesOf): string => {
  const columns: Record<string, (row: PeerRow) => string | null> = {
    name: ({ name }) => name && plainText(name),
    peer_id: ({ peerId }) => peerId,
    role: ({ role }) => role,
    state: ({ state }) => state,
    seen_age_seconds: ({ seenAgeMs }) => (seenAgeMs === null ? null : `${Math.floor(seenAgeMs / 1000)}`),
    addresses: (row) => addressesOf(row).join(','),
    services: ({ services }) =>
      services.map(({ name, port, protocol }) => `${name}${port === 0 ? '' : `:${port}`}/${protocol}`).join(','),
    tags: ({ tags }) => tags.map(plainText).join(','),
    version: ({ version }) => version && plainText(version)
  }
  const lines = peers.map((row) => Object.values(columns).map((cell) => cell(row) || unknown))
  return [Object.keys(columns), ...lines].map((cells) => cells.join('\t')).join('\n')
}
