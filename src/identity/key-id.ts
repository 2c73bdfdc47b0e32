/** Map key of a public key, a hash or another id: a character for each byte, so it sorts as the bytes do, and 30 times cheaper than a PeerId's text. */
export const keyId = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** A plain copy that does not keep the envelope alive of which the bytes are a view. */
export const ownBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** The same bytes as a plain Uint8Array: those from SQLite are Buffers, whose `slice` shares memory. */
export const plainBytes = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** 8 bytes, big endian. */
export const u64 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
