import { isIPv4 } from 'node:net'
import { isPeerIdText } from '../identity/keys.ts'
import { formatIp6, ip6Bytes, parseIp6, type Scope, scopeOfBytes } from './ipv6.ts'
import { normalAddr, parseAddr } from './multiaddr.ts'

/** Text of an operator that is no address of the wanted kind: says what is wrong and how one is written. */
export class AddressSpellingError extends Error {
  override readonly name = 'AddressSpellingError'
}

/**
 * Each of these takes one kind of address as a person writes it and gives its one canonical spelling, so that everything behind compares
 * text. @throws AddressSpellingError
 */
export type AddressKind = (text: string) => string

const wrong = (text: string, what: string, example: string): never => {
  throw new AddressSpellingError(`'${text.slice(0, 120)}' ${what}: write ${example}`)
}

const scopeFaults: Readonly<Partial<Record<Scope, string>>> = {
  'link-local': 'is a link-local address, which means another machine on every link',
  multicast: 'is a multicast address, which belongs to no machine',
  other: 'is unspecified, reserved, or an IPv4 address in disguise'
}

/** The reason why text is no address that one machine has and others can name; undefined: it is one. */
const hostFault = (text: string): string | undefined => {
  if (isIPv4(text)) return 'is an IPv4 address; peers use IPv6 alone'
  const [address = '', zone] = text.split('%')
  const bytes = parseIp6(address)
  if (bytes === undefined) return 'is no IPv6 address'
  if (zone !== undefined) return 'names an interface, which means nothing to other machines'
  return scopeFaults[scopeOfBytes(bytes)]
}

const canonicalIp = (text: string): string => formatIp6(parseIp6(text) ?? new Uint8Array(ip6Bytes))

const hostExample = 'a global, unique local or loopback address like 2001:db8::5'

/** An address of one machine: `2001:db8::5`. */
export const hostAddress: AddressKind = (given) => {
  const text = given.trim()
  const fault = hostFault(text)
  return fault === undefined ? canonicalIp(text) : wrong(given, fault, hostExample)
}

/** Any IPv6 address, also one that no machine could be reached at: what a zone must get rid of. */
export const anyAddress: AddressKind = (given) => {
  const bytes = parseIp6(given.trim())
  return bytes === undefined ? wrong(given, 'is no IPv6 address', hostExample) : formatIp6(bytes)
}

/** An address to listen on: one of this machine's own, or `::` for all. */
export const listenAddress: AddressKind = (given) => {
  const bytes = parseIp6(given.trim())
  if (bytes?.every((byte) => byte === 0)) return '::'
  const fault = hostFault(given.trim())
  return fault === undefined ? canonicalIp(given.trim()) : wrong(given, fault, `${hostExample}, or :: for all`)
}

/** An address and a port to listen on: `[::1]:9080`; port 0 takes a free one. */
export const socketAddress: AddressKind = (given) => {
  const { host, port } = socketParts(given)
  return `[${host}]:${port}`
}

/** The same on loopback alone. */
export const loopbackSocket: AddressKind = (given) => {
  const { host, port } = socketParts(given)
  return host === '::1' ? `[${host}]:${port}` : wrong(given, 'is not on loopback', '[::1]:5335')
}

/** The same, taken apart. @throws AddressSpellingError */
export const socketParts = (given: string, example = '[::1]:9080'): { host: string; port: number } => {
  const [, host, port = ''] = /^\[([^\]]*)\]:(0|[1-9]\d{0,4})$/.exec(given.trim()) ?? []
  if (host === undefined || Number(port) > maxPort) wrong(given, 'is no IPv6 address with a port', example)
  return { host: listenAddress(host ?? ''), port: Number(port) }
}

/** `2001:db8::/32`; what is behind the prefix is cut off. */
export const prefixAddress: AddressKind = (given) => {
  const example = 'an IPv6 prefix like fd00:1234::/48'
  const [, address = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(given.trim()) ?? []
  const bytes = parseIp6(address)
  if (bytes === undefined || Number(length) > 128) return wrong(given, 'is no IPv6 prefix', example)
  const bits = Number(length)
  if (bits >= 8 && bytes[0] === 0xff)
    return wrong(given, 'is of multicast addresses, which belong to no machine', example)
  if (bits >= 96 && isMappedIPv4(bytes)) return wrong(given, 'is an IPv4 prefix in disguise', example)
  for (let at = 0; at < ip6Bytes; at++)
    bytes[at] = (bytes[at] ?? 0) & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * at)))
  return `${formatIp6(bytes)}/${bits}`
}

const isMappedIPv4 = (bytes: Uint8Array): boolean =>
  bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff

const dialExample = '/ip6/2001:db8::5/tcp/8000'

/** A host to dial, with or without the key that it must prove: `/ip6/2001:db8::5/tcp/8000/p2p/12D3KooW…`. */
export const dialAddress: AddressKind = (given) => {
  const text = given.trim()
  const example = `${dialExample}, or with /p2p/PEERID at its end`
  const fault = multiaddrFault(text)
  if (fault !== undefined) return wrong(given, fault, example)
  const { peerId } = parseAddr(text) ?? {}
  if (peerId !== undefined && !isPeerIdText(peerId))
    return wrong(given, 'has no PeerId of an Ed25519 key at its end', example)
  return normalAddr(text) ?? text
}

/** An address of this node's own, as a node record holds it: `/ip6/2001:db8::5/tcp/8000`. */
export const ownAddress: AddressKind = (given) => {
  const text = given.trim()
  const fault = multiaddrFault(text)
  if (fault !== undefined) return wrong(given, fault, `${dialExample}, without /p2p`)
  if (parseAddr(text)?.peerId !== undefined) return wrong(given, 'has a PeerId', `${dialExample}, without /p2p`)
  return normalAddr(text) ?? text
}

const multiaddrFault = (text: string): string | undefined => {
  const [empty, protocol, ip = ''] = text.split('/')
  if (empty !== '' || (protocol !== 'ip6' && protocol !== 'ip4')) return 'is no multiaddr of IPv6 and TCP'
  return hostFault(ip) ?? (parseAddr(text)?.port === undefined ? 'is no multiaddr of IPv6 and TCP' : undefined)
}

const dnsPort = 53
const maxPort = 65_535

/**
 * A resolver or name server: `2001:db8::53`, `[2001:db8::53]:5353`, `192.0.2.53:5353`, `fe80::1%eth0`. It may be IPv4, which only peers may
 * not, and link-local where it names the interface, as routers advertise themselves.
 */
export const resolverAddress: AddressKind = (given) => {
  const { host, port } = resolverParts(given)
  if (port === dnsPort) return host
  return isIPv4(host) ? `${host}:${port}` : `[${host}]:${port}`
}

/** The same, taken apart. @throws AddressSpellingError */
export const resolverParts = (given: string): { host: string; port: number } => {
  const text = given.trim()
  const [, bracketed, dotted, portText] = /^(?:\[(.+)\]|(\d+(?:\.\d+){3}))(?::([1-9]\d{0,4}))?$/.exec(text) ?? []
  const port = Number(portText ?? dnsPort)
  const fault =
    port >= 1 && port <= maxPort ? resolverFault(bracketed ?? dotted ?? text, bracketed) : 'has no port of 1 to 65535'
  if (fault !== undefined) return wrong(given, fault, 'a resolver like 2001:db8::53, [::1]:5353 or fe80::1%eth0')
  if (dotted !== undefined) return { host: dotted, port }
  const [address = '', zone] = zoned(bracketed ?? text)
  return { host: zone === undefined ? canonicalIp(address) : `${canonicalIp(address)}%${zone}`, port }
}

/** As the kernel names interfaces. A number is the place of one in its list, which another boot may change. */
const interfaceName = /^(?!\d+$)[^\s/%]{1,15}$/

/** Address and interface; URLs write `%25` for the `%` between them (RFC 6874). */
const zoned = (host: string): string[] => host.replace(/%25(?=[^%])/, '%').split('%')

/** From 224 on there are groups, from 240 on nobody; 0 is this network. */
const ip4Fault = (first: number): string | undefined => {
  if (first === 0 || first >= 240) return scopeFaults.other
  return first >= 224 ? scopeFaults.multicast : undefined
}

const resolverFault = (host: string, bracketed: string | undefined): string | undefined => {
  if (bracketed === undefined && isIPv4(host)) return ip4Fault(Number(host.split('.', 1)[0]))
  const [address = '', zone, more] = zoned(host)
  const bytes = parseIp6(address)
  if (bytes === undefined || more !== undefined) return 'is no address of a resolver'
  if (scopeOfBytes(bytes) !== 'link-local')
    return zone === undefined ? hostFault(address) : 'names an interface and is not link-local'
  if (zone === undefined) return 'is link-local and names no interface'
  return interfaceName.test(zone)
    ? undefined
    : 'is link-local and names its interface in no way that stays: `ip link` shows names'
}
