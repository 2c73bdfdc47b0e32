import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { SigningKey } from '../../identity/keys.ts'
import { ConfigError } from '../errors.ts'

// scrypt at 64 MiB: a guess costs a tenth of a second. The passphrase is made here with 128 bits, so this is a second wall.
const scrypt = { N: 65_536, r: 8, p: 1, maxmem: 128 * 1024 * 1024 }

export interface RecoveryKeys {
  authority: SigningKey
  nextAuthority: SigningKey
}

/** A passphrase with 128 random bits, in groups that can be written down. */
export const newPassphrase = (): string => (randomBytes(16).toString('hex').match(/.{4}/g) ?? []).join('-')

/** Writes both authority keys, encrypted. The file is made new; one that is there is never overwritten. */
export function writeRecoveryKit(path: string, keys: RecoveryKeys, passphrase: string, networkId: string): void {
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', scryptSync(passphrase, salt, 32, scrypt), iv)
  cipher.setAAD(Buffer.from(networkId))
  const secret = Buffer.concat([
    cipher.update(keys.authority.seed),
    cipher.update(keys.nextAuthority.seed),
    cipher.final()
  ])
  const kit = {
    format: 'trustnet-recovery-kit',
    version: 1,
    networkId,
    scrypt: { N: scrypt.N, r: scrypt.r, p: scrypt.p },
    salt: salt.toString('base64'),
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    keys: secret.toString('base64')
  }
  writeFileSync(path, `${JSON.stringify(kit, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
}

/** Throws ConfigError when the file is no kit, was changed, or the passphrase is wrong. */
export function readRecoveryKit(path: string, passphrase: string): RecoveryKeys & { networkId: string } {
  const kit = parseKit(path)
  try {
    const key = scryptSync(passphrase, Buffer.from(kit.salt, 'base64'), 32, scrypt)
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(kit.iv, 'base64'))
    decipher.setAAD(Buffer.from(kit.networkId))
    decipher.setAuthTag(Buffer.from(kit.tag, 'base64'))
    const secret = Buffer.concat([decipher.update(Buffer.from(kit.keys, 'base64')), decipher.final()])
    return {
      networkId: kit.networkId,
      authority: SigningKey.fromSeed(secret.subarray(0, 32)),
      nextAuthority: SigningKey.fromSeed(secret.subarray(32, 64))
    }
  } catch {
    throw new ConfigError([`${path}: the passphrase is wrong, or the file was changed`])
  }
}

const kitFile = z.object({
  format: z.literal('trustnet-recovery-kit'),
  version: z.literal(1),
  networkId: z.string(),
  salt: z.string(),
  iv: z.string(),
  tag: z.string(),
  keys: z.string()
})

function parseKit(path: string): z.output<typeof kitFile> {
  try {
    return kitFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    const unreadable = !(error instanceof SyntaxError || error instanceof z.ZodError)
    throw new ConfigError([
      `${path}: ${unreadable ? `cannot be read: ${String(error)}` : 'is no recovery kit of this version'}`
    ])
  }
}
