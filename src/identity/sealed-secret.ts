import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'

// scrypt at 64 MiB: a guess costs a tenth of a second.
const scrypt = { N: 65_536, r: 8, p: 1, maxmem: 128 * 1024 * 1024 }

/** A secret under a passphrase, as it stands in a file of JSON. All but `scrypt` is base64. */
export interface SealedSecret {
  readonly scrypt: { readonly N: number; readonly r: number; readonly p: number }
  readonly salt: string
  readonly iv: string
  readonly tag: string
  readonly keys: string
}

/** Encrypts a secret; `boundTo` is what stands beside it in the open and may not be exchanged. */
export function sealSecret(secret: Uint8Array, passphrase: string, boundTo: string): SealedSecret {
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', scryptSync(passphrase, salt, 32, scrypt), iv)
  cipher.setAAD(Buffer.from(boundTo))
  const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
  return {
    scrypt: { N: scrypt.N, r: scrypt.r, p: scrypt.p },
    salt: salt.toString('base64'),
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    keys: sealed.toString('base64')
  }
}

/** Throws when the passphrase is wrong or the file was changed. The costs are those of this version, whatever the file says. */
export function openSecret(sealed: Omit<SealedSecret, 'scrypt'>, passphrase: string, boundTo: string): Uint8Array {
  const key = scryptSync(passphrase, Buffer.from(sealed.salt, 'base64'), 32, scrypt)
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64'))
  decipher.setAAD(Buffer.from(boundTo))
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64'))
  return Buffer.concat([decipher.update(Buffer.from(sealed.keys, 'base64')), decipher.final()])
}
