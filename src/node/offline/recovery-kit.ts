import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { z } from 'zod'
import { keyBytes } from '../../identity/ed25519.ts'
import { SigningKey } from '../../identity/keys.ts'
import { openSecret, sealSecret } from '../../identity/sealed-secret.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { ConfigError } from '../errors.ts'

const holdings = ['authority', 'nextAuthority'] as const
type Holding = (typeof holdings)[number]

/** Keys of a kit, under the names that they had when it was made. After `trustnet authority rotate` the next one is the authority. */
export type RecoveryKeys = { readonly [holding in Holding]?: SigningKey }

export interface RecoveryKit extends RecoveryKeys {
  readonly networkId: string
}

/** A passphrase with 128 random bits, in groups that can be written down: scrypt is a second wall behind it. */
export const newPassphrase = (): string => (randomBytes(16).toString('hex').match(/.{4}/g) ?? []).join('-')

/** Writes authority keys, encrypted. The file is made new; one that is there is never overwritten. */
export function writeRecoveryKit(path: string, keys: RecoveryKeys, passphrase: string, networkId: string): void {
  const holds = holdings.filter((holding) => keys[holding] !== undefined)
  const secret = Buffer.concat(holds.flatMap((holding) => keys[holding]?.seed ?? []))
  const sealed = sealSecret(secret, passphrase, boundTo(networkId, holds))
  const kit = { format: 'trustnet-recovery-kit', version: 2, networkId, holds, ...sealed }
  writeFileSync(path, `${JSON.stringify(kit, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true })
}

const boundTo = (networkId: string, holds: readonly Holding[]): string => [networkId, ...holds].join(' ')

/** Throws ConfigError when the file is no kit, was changed, or the passphrase is wrong. */
export function readRecoveryKit(path: string, passphrase: string): RecoveryKit {
  const kit = parseKit(path)
  try {
    const secret = openSecret(kit, passphrase, boundTo(kit.networkId, kit.holds))
    if (secret.length !== kit.holds.length * keyBytes) throw new Error('it holds another number of keys')
    const keys = kit.holds.map((holding, index) => {
      const seed = secret.subarray(index * keyBytes, (index + 1) * keyBytes)
      return [holding, SigningKey.fromSeed(seed)] as const
    })
    return { networkId: kit.networkId, ...Object.fromEntries(keys) }
  } catch {
    throw new ConfigError([`${path}: the passphrase is wrong, or the file was changed`])
  }
}

/** @throws ConfigError */
export function requireKitOf(
  networkId: string,
  { kit, path }: { kit: Pick<RecoveryKit, 'networkId'>; path: string }
): void {
  if (kit.networkId === networkId) return
  throw new ConfigError([`${path} is the recovery kit of another network, ${kit.networkId}`])
}

/** Before the passphrase is asked for: whether a file is a kit of the network. @throws ConfigError */
export const checkKit = (path: string, networkId: string): void =>
  requireKitOf(networkId, { kit: parseKit(path), path })

/** The key of a kit that is the authority, as the log says. @throws ConfigError */
export function authorityOf(kit: RecoveryKit, path: string, authorityKey: Uint8Array): SigningKey {
  const found = keysOf(kit).find((key) => equals(key.publicKey, authorityKey))
  if (found !== undefined) return found
  throw new ConfigError([
    `${path}: the recovery kit does not hold the authority of this network: it is of another network, or holds the key before or after it`
  ])
}

export const keysOf = (kit: RecoveryKit): SigningKey[] =>
  [kit.authority, kit.nextAuthority].filter((key) => key !== undefined)

const kitFile = z.object({
  format: z.literal('trustnet-recovery-kit'),
  version: z.literal(2),
  networkId: z.string(),
  holds: z.array(z.enum(holdings)).min(1).max(holdings.length),
  salt: z.string(),
  iv: z.string(),
  tag: z.string(),
  keys: z.string()
})

/** Two keys and what they are encrypted with: some 400 bytes. */
const maxKitBytes = 16 * 1024

function parseKit(path: string): z.output<typeof kitFile> {
  try {
    return kitFile.parse(JSON.parse(readText(path, maxKitBytes)))
  } catch (error) {
    const unreadable = !(error instanceof SyntaxError || error instanceof z.ZodError)
    throw new ConfigError([
      `${path}: ${unreadable ? `cannot be read: ${String(error)}` : 'is no recovery kit of this version: name the file that was kept of `trustnet init`'}`
    ])
  }
}
