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
}

export function bodyKind<K extends string, B, M>(
  kind: K,
  codec: PayloadCodec<M>,
  rules: BodyRules<B, M>
): BodyKind<K, B> {
  return {
    encode: (body) => codec.encode(rules.to(body)),
    decode: (bytes) => ({ kind, body: rules.from(decodeStrictly<M>(codec, bytes, `body of the ${kind} entry`)) }),
    read: (bytes) => ({ kind, body: rules.from(codec.decode(bytes)) }),
    check: (body) => rules.check(body)
  }
}

/** @throws InvalidPayloadError unless the bytes are there exactly when they should be */
export function checkPresent(bytes: Uint8Array | undefined, present: boolean, what: string): void {
  if ((bytes !== undefined) !== present) throw new InvalidPayloadError(`${what} must ${present ? '' : 'not '}be there`)
}
