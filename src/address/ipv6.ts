import { isIPv6 } from 'node:net'
import { byteAt } from '../identity/bytes.ts'
import { sha256 } from '../identity/hash.ts'
import { publicKeyPrefix } from '../identity/keys.ts'

/** IPv6 addresses as 16 bytes and as text (RFC 5952). Pure rules, no sockets. */

export const ip6Bytes = 16
const groupCount = 8

/** The range from which an address can be reached. `other`: nowhere that may be dialled (unspecified, IPv4 in disguise, tunnels). */
export type Scope = 'global' | 'ula' | 'loopback' | 'link-local' | 'multicast' | 'other'

/** undefined: no IPv6 address, or one with a zone. */
export function parseIp6(text: string): Uint8Array | undefined {
  if (text.includes('%') || !isIPv6(text)) return undefined
  const [head = '', tail = ''] = text.split('::')
  const bytes = new Uint8Array(ip6Bytes)
  const right = groupsOf(tail)
  putGroups(bytes, groupsOf(head), 0)
  putGroups(bytes, right, ip6Bytes - 2 * right.length)
  return bytes
}

function groupsOf(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16)
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}

function putGroups(bytes: Uint8Array, groups: readonly number[], from: number): void {
  let at = from
  for (const group of groups) {
    bytes[at++] = group >> 8
    bytes[at++] = group & 0xff
  }
}

const groupAt = (bytes: Uint8Array, index: number): number =>
  (byteAt(bytes, 2 * index) << 8) | byteAt(bytes, 2 * index + 1)

/** Lower case, no leading zeros, the longest run of two or more zero groups as `::` (the first of equals). */
export function formatIp6(bytes: Uint8Array): string {
  const { start, length } = longestZeroRun(bytes)
  if (length < 2) return textOf(bytes, 0, groupCount)
  return `${textOf(bytes, 0, start)}::${textOf(bytes, start + length, groupCount)}`
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) text += `${i === from ? '' : ':'}${groupAt(bytes, i).toString(16)}`
  return text
}

function longestZeroRun(bytes: Uint8Array): { start: number; length: number } {
  const best = { start: 0, length: 0 }
  let length = 0
  for (let i = 0; i < groupCount; i++) {
    length = groupAt(bytes, i) === 0 ? length + 1 : 0
    if (length <= best.length) continue
    best.start = i + 1 - length
    best.length = length
  }
  return best
}

const within = (bytes: Uint8Array, prefix: readonly number[]): boolean => prefix.every((byte, i) => bytes[i] === byte)

/** The first bytes of ::/120: the unspecified address, loopback, and what begins like them. */
const zeros = Array.from({ length: 15 }, () => 0)
/** Inside 2000::/3, but IPv4 addresses in disguise: Teredo and 6to4. */
const tunnels = [
  [0x20, 0x01, 0x00, 0x00],
  [0x20, 0x02]
]

/** The scope of 16 bytes. NAT64 (64:ff9b::/96, 64:ff9b:1::/48), mapped and compatible IPv4 are `other`. */
export function scopeOfBytes(bytes: Uint8Array): Scope {
  const first = byteAt(bytes, 0)
  const second = byteAt(bytes, 1)
  if (within(bytes, zeros)) return bytes[15] === 1 ? 'loopback' : 'other'
  if (first === 0xff) return 'multicast'
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link-local'
  if ((first & 0xfe) === 0xfc) return 'ula'
  if ((first & 0xe0) === 0x20 && !tunnels.some((prefix) => within(bytes, prefix))) return 'global'
  return 'other'
}

/** The scope of an address as text; `other` too for what is no IPv6 address or has a zone. */
export function scopeOf(ip: string): Scope {
  const bytes = parseIp6(ip)
  return bytes === undefined ? 'other' : scopeOfBytes(bytes)
}

/** The first 48 bits of a network's own addresses: fd and 40 bits of SHA-256(network id) (RFC 4193). */
const ulaBytes = (networkId: Uint8Array): number[] => [0xfd, ...sha256(networkId).subarray(0, 5)]

/** `fd12:3456:789a::/48`. */
export const ulaPrefix = (networkId: Uint8Array): string =>
  `${formatIp6(Uint8Array.from([...ulaBytes(networkId), ...zeros.slice(0, 10)]))}/48`

/** A member's own address: the network's prefix and 80 bits of SHA-256(PeerId), so everybody can compute everybody's. */
export function memberAddress(networkId: Uint8Array, publicKey: Uint8Array): string {
  const peerId = Uint8Array.from([0x00, 0x24, ...publicKeyPrefix, ...publicKey])
  return formatIp6(Uint8Array.from([...ulaBytes(networkId), ...sha256(peerId).subarray(0, 10)]))
}
