import { ip6Bytes } from '../../address/ipv6.ts'
import { byteAt } from '../../identity/bytes.ts'

/** Messages of the Port Control Protocol, RFC 6887: as much of it as opens one TCP port of an IPv6 address in a firewall. Pure bytes. */

export const pcpPorts = { server: 5351, client: 5350 }

const version = 2
const opcodes = { announce: 0, map: 1 }
/** First bit of the opcode of an answer. */
const answerBit = 0x80
const tcp = 6
const headerBytes = 24
const mapBytes = 36
export const nonceBytes = 12
/** RFC 6887, 7: no message is longer, and all are of whole 32-bit words. */
const maxMessageBytes = 1_100

/** Codes of RFC 6887, 7.4, in words of this program. */
const refusals: ReadonlyMap<number, string> = new Map([
  [1, 'it speaks another version of PCP'],
  [2, 'it allows no pinholes here'],
  [3, 'it could not read the request'],
  [4, 'it opens no pinholes'],
  [5, 'it wants an option that is not known here'],
  [6, 'it could not read the request'],
  [7, 'its own network does not work'],
  [8, 'it has no room for more'],
  [9, 'it opens none for TCP'],
  [10, 'this machine has as many as it may have'],
  [11, 'another machine has the port'],
  [12, 'it sees another address of this machine'],
  [13, 'too many peers were asked for']
])

export interface MapRequest {
  /** 16 bytes: the address from which the request is sent. */
  readonly address: Uint8Array
  readonly port: number
  /** The same one for a pinhole as long as it is held: without it nobody else changes it. */
  readonly nonce: Uint8Array
  /** 0 closes it. */
  readonly lifetimeSeconds: number
}

/** A request to let everybody in at this port of this address. */
export function encodeMap({ address, port, nonce, lifetimeSeconds }: MapRequest): Uint8Array {
  const bytes = Buffer.alloc(headerBytes + mapBytes)
  bytes.writeUInt8(version, 0)
  bytes.writeUInt8(opcodes.map, 1)
  bytes.writeUInt32BE(lifetimeSeconds, 4)
  bytes.set(address, 8)
  bytes.set(nonce, headerBytes)
  bytes.writeUInt8(tcp, headerBytes + nonceBytes)
  bytes.writeUInt16BE(port, headerBytes + 16)
  if (lifetimeSeconds > 0) {
    // In a firewall the outer address is the address itself.
    bytes.writeUInt16BE(port, headerBytes + 18)
    bytes.set(address, headerBytes + 20)
  }
  return bytes
}

export interface MapAnswer {
  /** Reason of a refusal; undefined: it was done. */
  readonly refusal: string | undefined
  /** Time of the pinhole, or for which the refusal holds. */
  readonly lifetimeSeconds: number
  /** Seconds for which the router has known what it knows. */
  readonly epochSeconds: number
  /** 16 bytes: the address at which it lets others in, and the port. */
  readonly address: Uint8Array
  readonly port: number
}

/** The answer to a request; undefined: it is none, or to another one. */
export function decodeMap(bytes: Uint8Array, request: MapRequest): MapAnswer | undefined {
  const message = answered(bytes, opcodes.map)
  if (message === undefined || message.byteLength < headerBytes + mapBytes) return undefined
  const body = message.subarray(headerBytes)
  const isOurs =
    body.subarray(0, nonceBytes).equals(request.nonce) &&
    byteAt(body, nonceBytes) === tcp &&
    body.readUInt16BE(16) === request.port
  if (!isOurs) return undefined
  const code = byteAt(message, 3)
  return {
    refusal: code === 0 ? undefined : (refusals.get(code) ?? `it refuses with code ${code}`),
    lifetimeSeconds: message.readUInt32BE(4),
    epochSeconds: message.readUInt32BE(8),
    address: Uint8Array.from(body.subarray(20, 20 + ip6Bytes)),
    port: body.readUInt16BE(18)
  }
}

/** Seconds for which a router that speaks unasked has known what it knows; undefined: it says something else. */
export function decodeAnnounce(bytes: Uint8Array): number | undefined {
  const message = answered(bytes, opcodes.announce)
  return message === undefined || byteAt(message, 3) !== 0 ? undefined : message.readUInt32BE(8)
}

function answered(bytes: Uint8Array, opcode: number): Buffer | undefined {
  const { byteLength } = bytes
  if (byteLength < headerBytes || byteLength > maxMessageBytes || byteLength % 4 !== 0) return undefined
  if (bytes[0] !== version || bytes[1] !== (answerBit | opcode)) return undefined
  return Buffer.from(bytes.buffer, bytes.byteOffset, byteLength)
}
