import { byteAt } from '../identity/bytes.ts'
import { isPeerIdText } from '../identity/keys.ts'
import { InvalidPayloadError } from '../runtime/errors.ts'
import { formatIp6, ip6Bytes, parseIp6, type Scope, scopeOfBytes } from './ipv6.ts'

export { formatIp6, memberAddress, parseIp6, type Scope, scopeOf, ulaPrefix } from './ipv6.ts'

/** Rules for IPv6 multiaddrs. Only `/ip6/…/tcp/…` is dialled, stored and announced, with `/p2p/…` where a key is known. */

/** Multicodec codes of ip6 and tcp in a binary multiaddr. */
const ip6Code = 0x29
const tcpCode = 0x06
const addrBytes = 1 + ip6Bytes + 1 + 2
const maxPort = 65_535

/** A multiaddr taken apart. */
export interface Addr {
  ip: string
  bytes: Uint8Array
  scope: Scope
  port?: number
  peerId?: string
}

/** libp2p's Multiaddr, or its text. */
export type AddrText = string | { toString(): string }

/** undefined unless it is exactly `/ip6/IP`, `/ip6/IP/tcp/PORT`, and either with `/p2p/PEER`. */
export function parseAddr(multiaddr: AddrText): Addr | undefined {
  const [empty, protocol, ip = '', ...rest] = multiaddr.toString().split('/')
  if (empty !== '' || protocol !== 'ip6') return undefined
  const bytes = parseIp6(ip)
  if (bytes === undefined) return undefined
  const addr: Addr = { ip: formatIp6(bytes), bytes, scope: scopeOfBytes(bytes) }
  if (rest[0] === 'tcp') {
    const port = portOf(rest[1])
    if (port === undefined) return undefined
    addr.port = port
    rest.splice(0, 2)
  }
  if (rest[0] === 'p2p') {
    const peerId = rest[1] ?? ''
    if (!isPeerIdText(peerId)) return undefined
    addr.peerId = peerId
    rest.splice(0, 2)
  }
  return rest.length === 0 ? addr : undefined
}

function portOf(text = ''): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined
  const port = Number(text)
  return port <= maxPort ? port : undefined
}

/** Address of a machine on one link of this one: it means nothing to any other machine, so no record, no zone and no store holds it. */
export interface LinkAddr {
  /** Interface of this machine. */
  zone: string
  ip: string
  port: number
}

/** undefined unless it is exactly `/ip6zone/eth0/ip6/IP/tcp/PORT` with a link-local IP. */
export function parseLinkAddr(multiaddr: AddrText): LinkAddr | undefined {
  const [, zone = '', rest = ''] = /^\/ip6zone\/([^\s/%]{1,15})(\/ip6\/.*)$/.exec(multiaddr.toString()) ?? []
  const addr = parseAddr(rest)
  if (addr?.port === undefined || addr.peerId !== undefined || addr.scope !== 'link-local') return undefined
  return { zone, ip: addr.ip, port: addr.port }
}

/** True for an address that may be dialled or accepted from at all: a literal IPv6 address without a zone that is no IPv4 address in disguise. */
export function isPlainIp6(multiaddr: AddrText): boolean {
  const addr = parseAddr(multiaddr)
  return addr !== undefined && addr.scope !== 'other' && addr.scope !== 'multicast'
}

/** Scopes that a record may announce. Which of them it should is the announcer's choice. */
const announceable: ReadonlySet<Scope> = new Set<Scope>(['global', 'ula', 'loopback'])

/** True for an address that a record may hold: `/ip6/IP/tcp/PORT` with a global, ULA or loopback address. */
export function isAnnounceable(multiaddr: AddrText): boolean {
  return mayAnnounce(parseAddr(multiaddr))
}

const mayAnnounce = (addr: Addr | undefined): addr is Addr & { port: number } =>
  addr?.port !== undefined && addr.peerId === undefined && announceable.has(addr.scope)

/** The one spelling of a multiaddr that `parseAddr` knows; undefined for all others. */
export function normalAddr(multiaddr: AddrText): string | undefined {
  const addr = parseAddr(multiaddr)
  return addr === undefined ? undefined : textOf(addr)
}

function textOf(addr: Addr): string {
  const port = addr.port === undefined ? '' : `/tcp/${addr.port}`
  return `/ip6/${addr.ip}${port}${addr.peerId === undefined ? '' : `/p2p/${addr.peerId}`}`
}

/** The binary multiaddr of `/ip6/IP/tcp/PORT`: 20 bytes. @throws InvalidPayloadError */
export function encodeAddr(multiaddr: string): Uint8Array {
  const addr = parseAddr(multiaddr)
  if (addr?.port === undefined || addr.peerId !== undefined) {
    throw new InvalidPayloadError('an address must be /ip6/…/tcp/…')
  }
  return binaryOf(addr.bytes, addr.port)
}

function binaryOf(ip: Uint8Array, port: number): Uint8Array {
  const bytes = new Uint8Array(addrBytes)
  bytes[0] = ip6Code
  bytes.set(ip, 1)
  bytes[1 + ip6Bytes] = tcpCode
  bytes[addrBytes - 2] = port >> 8
  bytes[addrBytes - 1] = port & 0xff
  return bytes
}

/** `/ip6/IP/tcp/PORT` of a binary multiaddr. @throws InvalidPayloadError for every other multiaddr */
export function decodeAddr(bytes: Uint8Array): string {
  checkShape(bytes)
  return `/ip6/${formatIp6(ipOf(bytes))}/tcp/${portIn(bytes)}`
}

/** The same for what a record may hold. @throws InvalidPayloadError, also for text that is not in its shortest form */
export function encodeAnnounceable(multiaddr: string): Uint8Array {
  const addr = parseAddr(multiaddr)
  if (!mayAnnounce(addr)) throw new InvalidPayloadError(announceableRule)
  if (textOf(addr) !== multiaddr) throw new InvalidPayloadError('an address of the record is not in its shortest form')
  return binaryOf(addr.bytes, addr.port)
}

/** @throws InvalidPayloadError for what a record may not hold. Judged by the bytes: their text need not be parsed. */
export function decodeAnnounceable(bytes: Uint8Array): string {
  checkShape(bytes)
  if (portIn(bytes) === 0 || !announceable.has(scopeOfBytes(ipOf(bytes)))) {
    throw new InvalidPayloadError(announceableRule)
  }
  return decodeAddr(bytes)
}

const announceableRule = 'an address of the record must be /ip6/…/tcp/… with a global, unique local or loopback address'

function checkShape(bytes: Uint8Array): void {
  if (bytes.length !== addrBytes || bytes[0] !== ip6Code || bytes[1 + ip6Bytes] !== tcpCode) {
    throw new InvalidPayloadError('an address is not /ip6/…/tcp/…')
  }
}

const ipOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(1, 1 + ip6Bytes)
const portIn = (bytes: Uint8Array): number => (byteAt(bytes, addrBytes - 2) << 8) | byteAt(bytes, addrBytes - 1)
