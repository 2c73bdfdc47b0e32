import { parseIp6, scopeOf } from '../address/multiaddr.ts'
import { ask, type DnsFailure, type DnsOptions } from './ask.ts'

export interface TnrAddress {
  /** IPv6 address in its shortest form. */
  readonly address: string
  readonly ttlSeconds: number
}

export interface RejectedAddress {
  readonly address: string
  readonly why: string
}

export interface TnrOptions extends DnsOptions {
  /** Accept `::1`: for a network on one machine. */
  readonly allowLoopback?: boolean | undefined
}

export type TnrAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly TnrAddress[]; readonly rejected: readonly RejectedAddress[] }
  | (DnsFailure & { readonly rejected?: readonly RejectedAddress[] })

/** A set of more registries than that is no list of registries. */
const maxAddresses = 256

/** The name that holds the addresses of a network's registries. */
export const tnrName = (domain: string): string => `tnr.${domain}`

/**
 * The AAAA set of `tnr.<domain>`, with TTLs. It says where a registry may be, never who it is, and has no order.
 * Every outcome is an answer; only the caller's signal throws.
 */
export const lookupTnr = async (domain: string, options: TnrOptions = {}): Promise<TnrAnswer> => {
  const name = tnrName(domain)
  const result = await ask(name, async (resolver) => await resolver.resolve6(name, { ttl: true }), options)
  if (!('answer' in result)) return result
  const addresses = new Map<string, TnrAddress>()
  const rejected: RejectedAddress[] = []
  for (const { address, ttl } of result.answer) {
    const why =
      whyNot(address, options.allowLoopback === true) ?? (addresses.size >= maxAddresses ? 'one too many' : undefined)
    if (why === undefined) addresses.set(address, { address, ttlSeconds: ttl })
    else rejected.push({ address, why })
  }
  if (addresses.size > 0) return { kind: 'found', addresses: [...addresses.values()], rejected }
  if (rejected.length === 0) return { kind: 'none', message: `${name}: the name has no such record` }
  const reasons = rejected.map(({ address, why }) => `${address} is ${why}`).slice(0, 8)
  return { kind: 'bad-answer', message: `${name}: no address can be used: ${reasons.join(', ')}`, rejected }
}

/** undefined: it may be dialled. */
const whyNot = (address: string, allowLoopback: boolean): string | undefined => {
  const scope = scopeOf(address)
  if (scope === 'global' || scope === 'ula') return undefined
  if (scope === 'loopback') return allowLoopback ? undefined : 'a loopback address'
  if (scope === 'link-local') return 'a link-local address, which means another host on every link'
  if (scope === 'multicast') return 'a multicast address'
  return parseIp6(address) === undefined
    ? 'no IPv6 address'
    : 'no global address: unspecified, reserved, or IPv4 in disguise'
}
