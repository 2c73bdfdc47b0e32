import { hash, randomBytes } from 'node:crypto'
import { asCrypto, nodeCrypto } from '@chainsafe/libp2p-noise/crypto'
import { LengthPrefixedDecoder } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { AlteredFrameError } from '../../../../../src/protocols/engine/errors.ts'
import { noiseCrypto } from '../../../../../src/protocols/engine/libraries/noise-crypto.ts'
import { gatherFrames } from '../../../../../src/protocols/engine/libraries/noise-frames.ts'

const key = randomBytes(32)
const none = new Uint8Array()
const sizes = [0, 1, 1_199, 1_200, 4_079, 4_080, 4_096, 65_507, 65_519]
const nonceOf = (n: number): Uint8Array => {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32LE(n, 4)
  return nonce
}
const bytesOf = (data: { subarray(): Uint8Array }): Buffer => Buffer.from(data.subarray())
/** Told apart by their hashes: a difference of 64 KiB takes minutes to print. */
const hashOf = (data: { subarray(): Uint8Array }): string => hash('sha256', data.subarray())
/** A list of pieces, whose class the library has in a version of its own. */
const inParts = (bytes: Uint8Array): never =>
  new Uint8ArrayList(bytes.subarray(0, 12), bytes.subarray(12, 100), bytes.subarray(100)) as never

describe.each(sizes)('a frame of %i bytes', (size) => {
  const plain = randomBytes(size)
  const aad = randomBytes(32)

  it.each([
    ['Node', nodeCrypto],
    ['WebAssembly', asCrypto]
  ])('is that of the library over %s, each way, whole and in parts', (_, library) => {
    for (const data of [plain, inParts(plain)]) {
      const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(data, nonceOf(1), aad, key))
      expect(hashOf(sealed)).toBe(hashOf(library.chaCha20Poly1305Encrypt(plain, nonceOf(1), aad, key)))
      for (const given of [sealed, inParts(sealed)]) {
        const dst = new Uint8Array(size)
        expect(hashOf(noiseCrypto.chaCha20Poly1305Decrypt(given, nonceOf(1), aad, key, dst))).toBe(hashOf(plain))
      }
    }
  })

  it('is refused when a bit of it, of its nonce or of what it belongs to is another one', () => {
    const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(plain, nonceOf(1), aad, key))
    const open = (bytes: Uint8Array, n = 1, ad: Uint8Array = aad) =>
      noiseCrypto.chaCha20Poly1305Decrypt(Buffer.from(bytes), nonceOf(n), ad, key, new Uint8Array(size))
    for (const at of [0, sealed.byteLength - 1]) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => open(changed)).toThrow(AlteredFrameError)
    }
    expect(() => open(sealed, 2)).toThrow(AlteredFrameError)
    expect(() => open(sealed, 1, none)).toThrow(AlteredFrameError)
    expect(hashOf(open(sealed))).toBe(hashOf(plain))
  })
})

it('each key has its own ciphers, also when several are in use', () => {
  const plain = inParts(randomBytes(5_000))
  const keys = [randomBytes(32), randomBytes(32), randomBytes(32)]
  const sealed = keys.map((each) => bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(plain, nonceOf(1), none, each)))
  expect(sealed.map(hashOf)).toEqual(
    keys.map((each) => hashOf(nodeCrypto.chaCha20Poly1305Encrypt(plain, nonceOf(1), none, each)))
  )
  const open = (each: number, by: number) =>
    noiseCrypto.chaCha20Poly1305Decrypt(sealed[each] ?? none, nonceOf(1), none, keys[by] ?? none, new Uint8Array(5_000))
  for (const at of keys.keys()) {
    expect(hashOf(open(at, at))).toBe(hashOf(plain))
    expect(() => open(at, (at + 1) % keys.length)).toThrow(AlteredFrameError)
  }
})

it('frames that come in pieces of any size are kept apart, also when others are sent between them', () => {
  const decoder = new LengthPrefixedDecoder({
    lengthDecoder: (data) => {
      if (data.byteLength < 2) throw new RangeError('too few bytes')
      const [high = 0, low = 0] = data.subarray(0, 2)
      return (high << 8) | low
    },
    encodingLength: () => 2
  })
  gatherFrames({ decoder })
  const plain = Array.from({ length: 24 }, (_, n) => randomBytes(sizes[n % sizes.length] ?? 0))
  const wire = Buffer.concat(
    plain.flatMap((bytes, n) => {
      const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(bytes, nonceOf(n), none, key))
      return [Buffer.of(sealed.byteLength >> 8, sealed.byteLength & 0xff), sealed]
    })
  )
  const opened: { subarray(): Uint8Array }[] = []
  for (let at = 0, piece = 1; at < wire.byteLength; at += piece, piece = (piece * 7) % 40_009) {
    for (const frame of decoder.decode(wire.subarray(at, at + piece))) {
      const dst = frame.subarray(0, frame.byteLength - 16)
      opened.push(noiseCrypto.chaCha20Poly1305Decrypt(frame as never, nonceOf(opened.length), none, key, dst))
      noiseCrypto.chaCha20Poly1305Encrypt(inParts(randomBytes(50_000)), nonceOf(opened.length), none, randomBytes(32))
    }
  }
  expect(opened.map(hashOf)).toEqual(plain.map(hashOf))
})
