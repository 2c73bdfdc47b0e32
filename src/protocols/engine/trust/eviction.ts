import type { Connection } from '@libp2p/interface'
import { parseAddr } from '../../../address/multiaddr.ts'

/** The /48 and the /64 of a connection's other side. Whoever has one address of a /64 has all of it; a /48 is easy to get, too. */
export function prefixesOf({ remoteAddr }: Pick<Connection, 'remoteAddr'>): { site: string; net: string } {
  const addr = parseAddr(remoteAddr)
  if (addr === undefined) return { site: 'unknown', net: 'unknown' }
  const net = Buffer.from(addr.bytes.subarray(0, 8)).toString('hex')
  return { site: net.slice(0, 12), net }
}

/**
 * Chooses the connection that goes when there is one too many: the first or the last comer of the /48 that has most, and in it of the /64
 * that has most. So nobody can take all places from few prefixes. The first goes where whoever is honest is soon done, and who stays is idle.
 */
export function oneTooMany<T extends { readonly connection: Pick<Connection, 'remoteAddr'> }>(
  entries: Iterable<T>,
  goes: 'first' | 'last' = 'last'
): T | undefined {
  const all = [...entries].map((entry) => ({ entry, ...prefixesOf(entry.connection) }))
  const counts = new Map<string, number>()
  for (const { site, net } of all) {
    for (const prefix of new Set([site, net])) counts.set(prefix, (counts.get(prefix) ?? 0) + 1)
  }
  let last: T | undefined
  let most = { site: 0, net: 0 }
  for (const { entry, site, net } of all) {
    const rank = { site: counts.get(site) ?? 0, net: counts.get(net) ?? 0 }
    if (rank.site < most.site || (rank.site === most.site && rank.net < most.net)) continue
    const isSame = rank.site === most.site && rank.net === most.net
    if (goes === 'first' && isSame) continue
    last = entry
    most = rank
  }
  return last
}
