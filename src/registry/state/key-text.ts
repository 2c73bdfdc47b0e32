/** Map key of a public key inside the state: 32 characters of one byte, 30 times cheaper than a PeerId's text. */
export const keyText = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** A copy that does not keep the envelope alive of which the bytes are a view. */
export const ownBytes = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes)

/** 8 bytes, big endian. */
export const u64 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
