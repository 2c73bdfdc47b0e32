import type { Random } from '../simulation/random.ts'

/** A field as it stands in the bytes of a message. */
interface Field {
  readonly number: number
  readonly wire: number
  /** Value or content, without tag and length. */
  readonly content: Uint8Array
}

const varint = (value: bigint): number[] => {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

/** The same number in more bytes than it needs. */
const long = (bytes: readonly number[], more: number): number[] => [
  ...bytes.map((byte, at) => (at === bytes.length - 1 ? byte | 0x80 : byte)),
  ...Array.from({ length: more - 1 }, () => 0x80),
  0
]

const readVarint = (bytes: Uint8Array, from: number): [value: bigint, to: number] => {
  let value = 0n
  for (let at = from; at < bytes.length; at++) {
    value |= BigInt((bytes[at] ?? 0) & 0x7f) << BigInt(7 * (at - from))
    if ((bytes[at] ?? 0) < 0x80) return [value, at + 1]
  }
  throw new RangeError('no varint')
}

/** Fields of a message that is encoded as it should be. @throws RangeError for other bytes */
const fieldsOf = (bytes: Uint8Array): Field[] => {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    const [tag, from] = readVarint(bytes, at)
    const wire = Number(tag & 7n)
    if (wire !== 0 && wire !== 2) throw new RangeError('no such field')
    const [value, behind] = readVarint(bytes, from)
    at = wire === 0 ? behind : behind + Number(value)
    if (at > bytes.length || tag >> 3n === 0n) throw new RangeError('no such field')
    fields.push({ number: Number(tag >> 3n), wire, content: bytes.subarray(wire === 0 ? from : behind, at) })
  }
  return fields
}

const written = ({ number, wire, content }: Field, random?: Random): number[] => {
  const tag = varint((BigInt(number) << 3n) | BigInt(wire))
  const length = varint(BigInt(content.length))
  const odd = random?.below(3)
  const head = odd === 0 ? long(tag, 1 + (random?.below(10) ?? 0)) : tag
  if (wire !== 2) return [...head, ...content]
  const said =
    odd === 1 ? long(length, 1 + (random?.below(9) ?? 0)) : odd === 2 ? varint(BigInt(content.length + 1)) : length
  return [...head, ...said, ...content]
}

const encoded = (fields: readonly Field[]): Uint8Array => Uint8Array.from(fields.flatMap((field) => written(field)))

/** Numbers at which types and field numbers end. */
const edges = [
  0n,
  1n,
  2n,
  127n,
  128n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n
]
const numbers = [0, 1, 2, 3, 5, 8, 9, 11, 15, 16, 31, 32, 33, 2047, 2048, 2 ** 28, 2 ** 29 - 1, 2 ** 29]

const anyBytes = (random: Random, most: number): number[] =>
  Array.from({ length: random.below(most + 1) }, () => random.below(256))

const anyField = (random: Random): number[] => {
  const wire = random.below(8)
  const tag = varint((BigInt(random.pick(numbers)) << 3n) | BigInt(wire))
  if (wire === 0) return [...tag, ...varint(random.pick(edges))]
  if (wire !== 2) return [...tag, ...anyBytes(random, 9)]
  const content = anyBytes(random, 6)
  return [...tag, ...varint(BigInt(random.chance(0.8) ? content.length : random.below(300))), ...content]
}

type Change = (fields: Field[], at: number, random: Random) => Uint8Array

const parts = (fields: readonly Field[], at: number, middle: readonly number[], skipped = 1): Uint8Array =>
  Uint8Array.from([...encoded(fields.slice(0, at)), ...middle, ...encoded(fields.slice(at + skipped))])

/** What can be done to one field of a message. */
const changes: readonly Change[] = [
  (fields, at) => encoded(fields.toSpliced(at, 1)),
  (fields, at) => encoded(fields.toSpliced(at, 0, ...fields.slice(at, at + 1))),
  (fields, at, random) => encoded(fields.toSpliced(random.below(fields.length + 1), 0, ...fields.slice(at, at + 1))),
  (fields, at) =>
    encoded([
      ...fields.slice(0, at),
      ...fields.slice(at + 1, at + 2),
      ...fields.slice(at, at + 1),
      ...fields.slice(at + 2)
    ]),
  (fields, at, random) =>
    parts(
      fields,
      at,
      fields.slice(at, at + 1).flatMap((field) => written(field, random))
    ),
  (fields, at, random) => parts(fields, at, anyField(random), 0),
  (fields, _at, random) => parts(fields, fields.length, anyField(random), 0),
  (fields, at, random) =>
    parts(
      fields,
      at,
      fields.slice(at, at + 1).flatMap((field) => written({ ...field, wire: random.below(8) }))
    ),
  (fields, at, random) =>
    parts(
      fields,
      at,
      fields.slice(at, at + 1).flatMap((field) => written({ ...field, number: random.pick(numbers) }))
    ),
  (fields, at, random) =>
    parts(
      fields,
      at,
      fields.slice(at, at + 1).flatMap(({ number, wire }) =>
        written({
          number,
          wire,
          content: Uint8Array.from(wire === 0 ? varint(random.pick(edges)) : anyBytes(random, 40))
        })
      )
    )
]

const anyChange = (bytes: Uint8Array, random: Random): Uint8Array => {
  const at = random.below(bytes.length + 1)
  const kind = random.below(4)
  if (kind === 0) return bytes.slice(0, at)
  const middle = kind === 1 ? [] : anyBytes(random, kind === 2 ? 1 : 4)
  return Uint8Array.from([...bytes.subarray(0, at), ...middle, ...bytes.subarray(kind === 2 ? at : at + 1)])
}

/** The message with one thing changed: a byte, a field, or the same in a message inside. */
export const mutated = (bytes: Uint8Array, random: Random): Uint8Array => {
  if (bytes.length === 0 || random.chance(0.15)) return anyChange(bytes, random)
  let fields: Field[]
  try {
    fields = fieldsOf(bytes)
  } catch {
    return anyChange(bytes, random)
  }
  const at = random.below(fields.length)
  const field = fields[at]
  if (field?.wire === 2 && random.chance(0.3))
    return encoded(fields.with(at, { ...field, content: mutated(field.content, random) }))
  return random.pick(changes)(fields, at, random)
}
