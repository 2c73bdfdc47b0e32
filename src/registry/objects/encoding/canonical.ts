import { isUtf8 } from 'node:buffer'
import { InvalidPayloadError } from '../../../runtime/errors.ts'

/** The one encoding of what is signed: docs/protocols/signed-payloads.md, "Encoding". */

/** A field of a message: a scalar type, or the codec of the message inside. */
export interface Field {
  readonly type: 'uint32' | 'uint64' | 'bool' | 'bytes' | 'string' | object
  /** repeated: any number of times; optional: at most once, zero and empty too. Without: at most once, and not zero or empty. */
  readonly rule?: 'repeated' | 'optional'
}

/** The fields of a message by number. */
export type Shape = Readonly<Record<number, Field>>
export type Shapes = ReadonlyMap<unknown, Shape>

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const
const maxFieldNumber = 2 ** 29 - 1
const maxVarintBytes = 10
const largest = { uint32: 2 ** 32 - 1, uint64: Number.MAX_SAFE_INTEGER, bool: 1 } as const

/** Nothing is known of the message, as of the body of an entry of a newer version's kind. */
export const unknownShape: Shape = {}

/**
 * Insists that the bytes are the one encoding of a message. Known fields come first, each as its rule says, with the wire type of its
 * type, ascending; then, with higher numbers and ascending too, any well-formed fields of a newer version; the same holds in every
 * message inside. All varints are as short as can be, and nothing reaches beyond the end.
 * @throws InvalidPayloadError
 */
export function requireCanonical(bytes: Uint8Array, shape: Shape, shapes: Shapes, what: string): void {
  const wrong = findWrong(bytes, shape, shapes)
  if (wrong !== undefined) throw new InvalidPayloadError(`the ${what} is not encoded as it should be: ${wrong}`)
}

/** The fault of the encoding; undefined: there is none. */
function findWrong(bytes: Uint8Array, shape: Shape, shapes: Shapes): string | undefined {
  const reader = new Reader(bytes)
  let last = 0
  while (!reader.isDone) {
    const tag = reader.varint()
    const number = tag === undefined ? 0 : Math.floor(tag / 8)
    if (tag === undefined || number < 1 || number > maxFieldNumber) return `no field number at byte ${reader.at}`
    const field = shape[number]
    if (field === undefined && number < highestOf(shape)) return `a field ${number}, which nobody knows`
    if (number < last) return `field ${number} behind field ${last}`
    if (number === last && field !== undefined && field.rule !== 'repeated') return `field ${number} twice`
    last = number
    const found = field === undefined ? skip(reader, tag % 8) : checkField(reader, tag % 8, field, shapes)
    if (found !== undefined) return `${found} in field ${number}`
  }
  return undefined
}

const highestOf = (shape: Shape): number => Math.max(0, ...Object.keys(shape).map(Number))

function skip(reader: Reader, type: number): string | undefined {
  if (type === wire.varint) return reader.varint() === undefined ? 'no number' : undefined
  if (type === wire.bytes) return reader.bytes() === undefined ? 'a wrong length' : undefined
  const length = type === wire.fixed64 ? 8 : type === wire.fixed32 ? 4 : undefined
  if (length === undefined) return `wire type ${type}`
  return reader.take(length) === undefined ? 'too few bytes' : undefined
}

function checkField(reader: Reader, type: number, field: Field, shapes: Shapes): string | undefined {
  if (field.type === 'uint32' || field.type === 'uint64' || field.type === 'bool') {
    if (type !== wire.varint) return `wire type ${type}`
    const value = reader.varint()
    if (value === undefined || value > largest[field.type]) return 'no number of its type'
    return value === 0 && field.rule === undefined ? 'a zero, which is left out,' : undefined
  }
  if (type !== wire.bytes) return `wire type ${type}`
  const bytes = reader.bytes()
  if (bytes === undefined) return 'a wrong length'
  const shape = shapes.get(field.type)
  if (shape !== undefined) return findWrong(bytes, shape, shapes)
  if (bytes.length === 0 && field.rule === undefined) return 'nothing, which is left out,'
  return field.type === 'string' && !isUtf8(bytes) ? 'text that is not UTF-8' : undefined
}

/** All fields of this number, tags and all, in a message whose encoding was checked: they stand together. No bytes: there is none. */
export function fieldsOf(bytes: Uint8Array, number: number): Uint8Array {
  const reader = new Reader(bytes)
  let from = bytes.length
  while (reader.at < bytes.length) {
    const start = reader.at
    const tag = reader.varint() ?? 0
    const found = Math.floor(tag / 8)
    if (found > number) return bytes.subarray(Math.min(from, start), start)
    if (found === number) from = Math.min(from, start)
    skip(reader, tag % 8)
  }
  return bytes.subarray(from)
}

/** Reads the parts of a message. */
class Reader {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.at === this.#bytes.length
  }

  /** A varint in its shortest form, at most 64 bits; undefined: none. Above 2^53 the value is not exact. */
  varint(): number | undefined {
    let value = 0
    for (let i = 0; i < maxVarintBytes; i++) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) return undefined
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte >= 0x80) continue
      const isShortest = byte > 0 || i === 0
      const fits = i < maxVarintBytes - 1 || byte === 1
      return isShortest && fits ? value : undefined
    }
    return undefined
  }

  /** Bytes after their length. */
  bytes(): Uint8Array | undefined {
    const length = this.varint()
    return length === undefined ? undefined : this.take(length)
  }

  take(length: number): Uint8Array | undefined {
    const from = this.at
    if (length > this.#bytes.length - from) return undefined
    this.at += length
    return this.#bytes.subarray(from, this.at)
  }
}
