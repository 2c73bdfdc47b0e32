import { parseAddr } from '../../address/multiaddr.ts'
import type { PeerRow } from '../api/views.ts'

type Addressed = Pick<PeerRow, 'addresses' | 'self'>

/**
 * IPv6 addresses of a member's multiaddrs, in their order, each once. Those on the loopback count only where this node has such itself, as
 * in a network on one machine: anywhere else a member's name would lead back into the machine that asks.
 */
export const namedAddresses = (addresses: readonly string[], isOnLoopback: boolean): string[] => {
  const parsed = addresses.map((address) => parseAddr(address)).filter((addr) => addr !== undefined)
  return [...new Set(parsed.filter(({ scope }) => isOnLoopback || scope !== 'loopback').map(({ ip }) => ip))]
}

/** A node that announces addresses on the loopback has others there, too. */
export const announcesLoopback = (addresses: readonly string[]): boolean =>
  addresses.some((address) => parseAddr(address)?.scope === 'loopback')

/** Gives the addresses of a row of a view. */
export type AddressesOf = (row: Addressed) => string[]

/** `rows`: all of the view, the one of this node among them. */
export const rowAddresses = (rows: readonly Addressed[]): AddressesOf => {
  const isOnLoopback = announcesLoopback(rows.find(({ self }) => self)?.addresses ?? [])
  return ({ addresses }) => namedAddresses(addresses, isOnLoopback)
}
