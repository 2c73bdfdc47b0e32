import { join } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'
import { readText as readFileText, readPrivateText } from '../../runtime/files/read-file.ts'
import { ConfigError } from '../errors.ts'
import type { Env } from './parse.ts'

/** Secrets are never in YAML, on a command line or in a log. The name that others gave to theirs is kept. */
const secrets = {
  invite: 'TRUSTNET_INVITE',
  recoveryPassphrase: 'TRUSTNET_RECOVERY_PASSPHRASE',
  operatorPassphrase: 'TRUSTNET_OPERATOR_PASSPHRASE',
  rootStorePassword: 'TRUSTNET_ROOT_STORE_PASSWORD',
  cloudflareToken: 'CLOUDFLARE_API_TOKEN',
  tsigKey: 'TRUSTNET_DNS_TSIG_KEY'
} as const

export type SecretName = keyof typeof secrets

/** Those that open something for good: a file that others can read is refused. An invite is used up within the hour. */
const ownerOnly: ReadonlySet<SecretName> = new Set([
  'recoveryPassphrase',
  'operatorPassphrase',
  'rootStorePassword',
  'cloudflareToken',
  'tsigKey'
])

/** The variable that holds it; with `_FILE` after it, the one that names its file. */
export const secretVariable = (name: SecretName): string => secrets[name]

const ownersAlone = { others: 0o077, mode: '600' }

/** A line of a few keys and addresses. */
const maxBytes = 16 * 1024

/**
 * From NAME, from the file that NAME_FILE or `file` names, or from a systemd credential (`trustnet-invite`,
 * `trustnet-recovery-passphrase`, `trustnet-operator-passphrase`, `trustnet-root-store-password`,
 * `cloudflare-api-token`, `trustnet-dns-tsig-key`); undefined when none of them is there. Throws
 * ConfigError for a file that is named and cannot be read, or that others could read too.
 */
export const readSecret = (
  name: SecretName,
  options: { env?: Env; file?: string | undefined } = {}
): string | undefined => {
  const env = options.env ?? process.env
  const variable = secrets[name]
  const direct = env[variable]?.trim()
  if (direct) return direct
  const byVariable = env[`${variable}_FILE`]
  const named = byVariable || options.file
  if (named !== undefined) {
    const by = byVariable ? `${variable}_FILE: ` : ''
    return readText(named, { mustExist: true, ownerOnly: ownerOnly.has(name), by })
  }
  const folder = env['CREDENTIALS_DIRECTORY']
  const credential = variable.toLowerCase().replaceAll('_', '-')
  return folder ? readText(join(folder, credential), { mustExist: false, ownerOnly: false, by: '' }) : undefined
}

const readText = (
  file: string,
  options: { mustExist: boolean; ownerOnly: boolean; by: string }
): string | undefined => {
  try {
    const text = options.ownerOnly ? readPrivateText(file, maxBytes, ownersAlone) : readFileText(file, maxBytes)
    return text.trim() || undefined
  } catch (error) {
    if (!options.mustExist && codeOf(error) === 'ENOENT') return undefined
    throw new ConfigError([
      `${options.by}${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`
    ])
  }
}
