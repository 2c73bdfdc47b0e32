import { formatIp6 } from '../../address/multiaddr.ts'
import { dialAddress, hostAddress } from '../../address/spelling.ts'
import type { FirewallFacts, Ipv6Facts, OsFacts } from '../model/facts.ts'

/** os-release(5): NAME=value lines, values quoted as a shell does. */
export const parseOsRelease = (text: string): Pick<OsFacts, 'id' | 'like' | 'name'> => {
  const values = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const match = /^([A-Z_]+)=(["']?)(.*)\2$/.exec(line.trim())
      return match === null ? [] : [[match[1] ?? '', match[3] ?? '']]
    })
  )
  return {
    id: values.get('ID') ?? 'unknown',
    like: (values.get('ID_LIKE') ?? '').split(' ').filter((one) => one !== ''),
    name: values.get('PRETTY_NAME') ?? values.get('NAME') ?? ''
  }
}

/** resolv.conf(5). */
export const parseResolvers = (text: string): string[] =>
  text.split('\n').flatMap((line) => {
    const [word, address] = line.trim().split(/\s+/)
    return word === 'nameserver' && address !== undefined ? [address] : []
  })

/** Interfaces, and `all` and `default`, that have IPv6 turned off. */
export const parseDisabled = (settings: readonly (readonly [string, string])[]): string[] => [
  ...new Set(settings.filter(([, value]) => value.trim() === '1').map(([device]) => device))
]

/** The default route in /proc/net/ipv6_route: one that has a way out; the kernel's own "unreachable" is on lo. */
export const parseGateway = (text: string): Ipv6Facts['gateway'] => {
  for (const line of text.split('\n')) {
    const [destination, length, , , via = '', , , , , device = ''] = line.trim().split(/\s+/)
    if (destination !== '0'.repeat(32) || length !== '00' || device === 'lo' || device === '') continue
    if (!/^[0-9a-f]{32}$/.test(via)) continue
    const address = formatIp6(Uint8Array.from(Buffer.from(via, 'hex')))
    return { via: address === '::' ? 'the link itself' : address, device }
  }
  return null
}

const none: FirewallFacts = { tool: 'none', dropsInbound: false, open: [], chain: [] }

/** `ufw status`. */
export const parseUfw = (text: string): FirewallFacts | undefined => {
  if (!/^Status: active$/m.test(text)) return undefined
  const open = [...text.matchAll(/^(\d+)(?:\/tcp)?\s.*\bALLOW\b/gm)].map(([, port]) => Number(port))
  return { tool: 'ufw', dropsInbound: true, open: [...new Set(open)], chain: [] }
}

/** `firewall-cmd --list-ports`, when `--state` said running. */
export const parseFirewalld = (ports: string): FirewallFacts => ({
  tool: 'firewalld',
  dropsInbound: true,
  open: [...ports.matchAll(/(\d+)\/tcp/g)].map(([, port]) => Number(port)),
  chain: []
})

interface NftChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook?: string
  readonly policy?: string
}
interface NftRule {
  readonly chain: string
  readonly table: string
  readonly expr: readonly Readonly<Record<string, unknown>>[]
}
interface NftList {
  readonly nftables: readonly { readonly chain?: NftChain; readonly rule?: NftRule }[]
}

/** `nft -j list ruleset`: an input chain that drops by policy or by its last rule, and the ports that it accepts. */
export const parseNftables = (json: string): FirewallFacts => {
  if (json === '') return none
  const { nftables }: NftList = JSON.parse(json)
  const rules = nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule]))
  for (const { chain } of nftables) {
    if (chain?.hook !== 'input' || !['inet', 'ip6'].includes(chain.family)) continue
    const own = rules.filter((rule) => rule.chain === chain.name && rule.table === chain.table)
    const last = own.at(-1)?.expr ?? []
    const closes = last.length === 1 && last.some((part) => 'drop' in part || 'reject' in part)
    if (chain.policy !== 'drop' && !closes) continue
    const open = own.filter(({ expr }) => expr.some((part) => 'accept' in part)).flatMap(({ expr }) => portsIn(expr))
    return { tool: 'nftables', dropsInbound: true, open, chain: [chain.family, chain.table, chain.name] }
  }
  return none
}

/** Numbers in `tcp dport 22` and `tcp dport { 22, 80-90 }`: a range is named by its ends, as far as this looks. */
const portsIn = (expr: NftRule['expr']): number[] => {
  const text = JSON.stringify(expr)
  if (!text.includes('"dport"')) return []
  const right = /"right":(\{.*?\}|\[.*?\]|\d+)/.exec(text)?.[1] ?? ''
  return [...right.matchAll(/\d+/g)].map(([port]) => Number(port))
}

/** An IPv6 address, `[address]:port` or a multiaddr, as a multiaddr with a port. @throws AddressSpellingError */
export const toMultiaddr = (text: string, port: number): string => {
  const given = text.trim()
  if (given.startsWith('/')) return dialAddress(given)
  const [, bracketed, portText] = /^\[(.+)\](?::(\d{1,5}))?$/.exec(given) ?? []
  return dialAddress(`/ip6/${hostAddress(bracketed ?? given)}/tcp/${portText ?? port}`)
}
