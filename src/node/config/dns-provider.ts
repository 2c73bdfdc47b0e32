import type { ProviderSettings } from '../../dns/providers/index.ts'
import type { ProviderName } from '../../dns/providers/provider.ts'
import { parseTsigKey, TsigKeyError } from '../../dns/providers/tsig.ts'
import { ConfigError } from '../errors.ts'
import type { Env } from './parse.ts'
import { readSecret, type SecretName, secretVariable } from './secrets.ts'

/** Choice of a provider on a command line; secrets are not. */
export interface ProviderChoice {
  readonly provider: ProviderName
  readonly awsProfile?: string | undefined
  /** Route 53 and Cloudflare. */
  readonly zoneId?: string | undefined
  /** rfc2136: the zone's primary name server. */
  readonly server?: string | undefined
  /** rfc2136: default: the zone that the server names. */
  readonly zone?: string | undefined
}

/** The provider's settings, with its secret from the environment or its file. @throws ConfigError */
export const providerSettings = (choice: ProviderChoice, env: Env = process.env): ProviderSettings => {
  const { provider, zoneId, awsProfile, server, zone } = choice
  if (provider === 'manual') return { provider }
  if (provider === 'route53') return { provider, profile: awsProfile, zoneId }
  if (provider === 'cloudflare') {
    const token = required('cloudflareToken', 'an API token with Zone > DNS > Edit', env)
    return { provider, token, zoneId, endpoint: env['CLOUDFLARE_BASE_URL'] || undefined }
  }
  if (server === undefined) {
    throw new ConfigError(["rfc2136 needs the address of the zone's primary name server, like 2001:db8::53"])
  }
  return { provider, server, zone, key: tsigKey(required('tsigKey', 'a TSIG key, as tsig-keygen prints it', env)) }
}

const required = (name: SecretName, what: string, env: Env): string => {
  const found = readSecret(name, { env })
  if (found !== undefined) return found
  const variable = secretVariable(name)
  throw new ConfigError([`${variable} is not set: it is ${what}; ${variable}_FILE names a file of mode 0600 with it`])
}

const tsigKey = (text: string): ReturnType<typeof parseTsigKey> => {
  try {
    return parseTsigKey(text)
  } catch (error) {
    if (error instanceof TsigKeyError) throw new ConfigError([error.message])
    throw error
  }
}
