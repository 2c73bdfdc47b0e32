import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import { reasonOf } from '../../../runtime/error-message.ts'
import { countBuffer } from '../../../runtime/young-generation.ts'
import { AlteredFrameError } from '../errors.ts'
import { gathered, isLong } from './noise-frames.ts'

const algorithm = 'chacha20-poly1305'
const tag = { authTagLength: 16 }

const keys = new WeakMap<Uint8Array, KeyObject>()

/** OpenSSL's form of a key, made once: of raw bytes Node makes it for each frame, which is a fourth of what encrypting it costs. */
function keyOf(bytes: Uint8Array): KeyObject {
  const known = keys.get(bytes)
  if (known !== undefined) return known
  const key = createSecretKey(bytes)
  keys.set(bytes, key)
  return key
}

/** Ciphers of Noise: those of its library, but each long frame is gathered and given to OpenSSL in one call. */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,

  chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
    if (plaintext instanceof Uint8Array || !isLong(plaintext))
      return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, k)
    const cipher = createCipheriv(algorithm, keyOf(k), nonce, tag)
    cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
    // A list of the class that the library has: its version is its own.
    const output = plaintext.sublist(0, 0)
    output.append(cipher.update(gathered(plaintext)))
    countBuffer(plaintext.byteLength)
    // A stream cipher holds nothing back.
    cipher.final()
    output.append(cipher.getAuthTag())
    return output
  },

  chaCha20Poly1305Decrypt(...frame) {
    try {
      return decrypted(...frame)
    } catch (error) {
      throw new AlteredFrameError(`what came is not what was sent: ${reasonOf(error)}`)
    }
  }
}

const decrypted: ICryptoInterface['chaCha20Poly1305Decrypt'] = (ciphertext, nonce, ad, k, dst) => {
  if (!isLong(ciphertext)) return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, k, dst)
  const whole = gathered(ciphertext)
  const length = whole.byteLength - tag.authTagLength
  const decipher = createDecipheriv(algorithm, keyOf(k), nonce, tag)
  decipher.setAAD(ad, { plaintextLength: length })
  decipher.setAuthTag(whole.subarray(length))
  const output = decipher.update(whole.subarray(0, length))
  countBuffer(length)
  decipher.final()
  return output
}
