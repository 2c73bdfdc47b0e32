import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { codeOf } from './error-code.ts'
import type { Env } from './parse.ts'

/** Secrets are never in YAML, on a command line or in a log. */
const secrets = {
  invite: 'TRUSTNET_INVITE',
  recoveryPassphrase: 'TRUSTNET_RECOVERY_PASSPHRASE'
} as const

export type SecretName = keyof typeof secrets

/** A line of a few keys and addresses. */
const maxBytes = 16 * 1024

/**
 * From NAME, from the file that NAME_FILE or `file` names, or from a systemd credential `trustnet-invite` /
 * `trustnet-recovery-passphrase`; undefined when none of them is there. Throws ConfigError for a file that is named and
 * cannot be read.
 */
export const readSecret = (
  name: SecretName,
  options: { env?: Env; file?: string | undefined } = {}
): string | undefined => {
  const env = options.env ?? process.env
  const variable = secrets[name]
  const direct = env[variable]?.trim()
  if (direct) return direct
  const named = env[`${variable}_FILE`] || options.file
  if (named !== undefined) return readLine(named, true)
  const folder = env['CREDENTIALS_DIRECTORY']
  return folder ? readLine(join(folder, variable.toLowerCase().replaceAll('_', '-')), false) : undefined
}

const readLine = (file: string, mustExist: boolean): string | undefined => {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.length > maxBytes) throw new Error(`it is longer than ${maxBytes} characters`)
    return text.trim() || undefined
  } catch (error) {
    if (!mustExist && codeOf(error) === 'ENOENT') return undefined
    throw new ConfigError([`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`])
  }
}
