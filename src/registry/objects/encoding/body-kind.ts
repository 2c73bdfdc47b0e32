import { InvalidPayloadError } from '../../../runtime/errors.ts'
import { decodeStrictly, type PayloadCodec } from '../signed.ts'

/** The body of one kind of entry, as data: how it is encoded and what must hold. */
export interface BodyKind<K extends string, B> {
  encode(body: B): Uint8Array
  decode(bytes: Uint8Array): { kind: K; body: B }
  /** The same for bytes that `decode` let pass before: their encoding is not checked again. */
  read(bytes: Uint8Array): { kind: K; body: B }
  /** @throws InvalidPayloadError */
  check(body: B): void
}

export interface BodyRules<B, M> {
  to(body: B): Partial<M>
  from(message: M): B
  check(body: B): void
  /** Fields that came after the first version of the kind: they stand behind its message, which does not know them. */
  later?: { append(bytes: Uint8Array, body: B): Uint8Array; read(bytes: Uint8Array): Partial<B> }
}

export function bodyKind<K extends string, B, M>(
  kind: K,
  codec: PayloadCodec<M>,
  rules: BodyRules<B, M>
): BodyKind<K, B> {
  const { later } = rules
  const append = (bytes: Uint8Array, body: B): Uint8Array => later?.append(bytes, body) ?? bytes
  const bodyOf = (message: M, bytes: Uint8Array) => ({ kind, body: { ...rules.from(message), ...later?.read(bytes) } })
  return {
    encode: (body) => append(codec.encode(rules.to(body)), body),
    decode: (bytes) => bodyOf(decodeStrictly<M>(codec, bytes, `body of the ${kind} entry`), bytes),
    read: (bytes) => bodyOf(codec.decode(bytes), bytes),
    check: (body) => rules.check(body)
  }
}

/** @throws InvalidPayloadError unless the bytes are there exactly when they should be */
export function checkPresent(bytes: Uint8Array | undefined, present: boolean, what: string): void {
  if ((bytes !== undefined) !== present) throw new InvalidPayloadError(`${what} must ${present ? '' : 'not '}be there`)
}
