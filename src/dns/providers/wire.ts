import { parseIp6 } from '../../address/multiaddr.ts'
import type { RecordKey } from './provider.ts'

// Parts of DNS UPDATE (RFC 2136) and TSIG (RFC 8945) that dns-packet lacks: class NONE, records without compression, and
// where in a message a record begins.

export const types = { SOA: 6, TXT: 16, AAAA: 28, TSIG: 250 } as const
export const classes = { IN: 1, NONE: 254, ANY: 255 } as const

const maxNameBytes = 255
const maxLabelBytes = 63

export const u16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff])

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** In lower case and without compression: the form that is signed. @throws RangeError */
export const encodeName = (name: string): Buffer => {
  const labels = name.replace(/\.$/, '').toLowerCase().split('.')
  const bytes = Buffer.concat([...(labels[0] === '' ? [] : labels.map(encodeLabel)), Buffer.from([0])])
  if (bytes.length > maxNameBytes) throw new RangeError(`the name ${name} is longer than DNS allows`)
  return bytes
}

const encodeLabel = (label: string): Buffer => {
  const bytes = Buffer.from(label)
  if (bytes.length === 0 || bytes.length > maxLabelBytes) throw new RangeError(`'${label}' is no label of a DNS name`)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

/** A TXT record is made of strings of at most 255 bytes. */
const txtBytes = 255

/** @throws RangeError */
export const encodeValue = (type: RecordKey['type'], value: string): Buffer => {
  if (type === 'AAAA') {
    const bytes = parseIp6(value)
    if (bytes === undefined) throw new RangeError(`'${value}' is no IPv6 address`)
    return Buffer.from(bytes)
  }
  const bytes = Buffer.from(value)
  const count = Math.max(1, Math.ceil(bytes.length / txtBytes))
  const parts = Array.from({ length: count }, (_, at) => bytes.subarray(at * txtBytes, (at + 1) * txtBytes))
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length]), part]))
}

export interface WireRecord {
  readonly name: string
  readonly type: number
  readonly class: number
  readonly ttlSeconds: number
  readonly value: Buffer
}

export const encodeRecord = (record: WireRecord): Buffer =>
  Buffer.concat([
    encodeName(record.name),
    u16(record.type),
    u16(record.class),
    u32(record.ttlSeconds),
    u16(record.value.length),
    record.value
  ])

/** A name may be compressed by a pointer, which ends it. @throws RangeError */
export const nameEnd = (message: Buffer, start: number): number => {
  let at = start
  for (;;) {
    const length = message.readUInt8(at)
    if (length === 0) return at + 1
    if ((length & 0xc0) === 0xc0) return at + 2
    at += 1 + length
  }
}

/** An uncompressed name as text. @throws RangeError */
export const readName = (message: Buffer, start: number): string => {
  const labels: string[] = []
  for (let at = start; ; ) {
    const length = message.readUInt8(at)
    if (length === 0) return labels.join('.').toLowerCase()
    if (length > maxLabelBytes) throw new RangeError('a compressed name where none may be')
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
}

/** Place where the last record of a message begins; undefined: it has none. @throws RangeError */
export const lastRecord = (message: Buffer): number | undefined => {
  let at = 12
  for (let left = message.readUInt16BE(4); left > 0; left--) at = nameEnd(message, at) + 4
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
  let start: number | undefined
  for (let left = records; left > 0; left--) {
    start = at
    const fields = nameEnd(message, at)
    at = fields + 10 + message.readUInt16BE(fields + 8)
  }
  if (at !== message.length) throw new RangeError('the message has another length than its records')
  return start
}
