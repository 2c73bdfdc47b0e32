import { manual } from './manual.ts'
import type { DnsProvider } from './provider.ts'
import type { TsigKey } from './tsig.ts'

/** A provider, and what it needs. The caller reads secrets; none of this is ever logged. */
export type ProviderSettings =
  | { readonly provider: 'manual' }
  | {
      readonly provider: 'route53'
      /** Profile of ~/.aws; default: the SDK's own search for credentials. */
      readonly profile?: string | undefined
      readonly zoneId?: string | undefined
      /** Another server that speaks the API. */
      readonly endpoint?: string | undefined
    }
  | {
      readonly provider: 'cloudflare'
      readonly token: string
      readonly zoneId?: string | undefined
      readonly endpoint?: string | undefined
    }
  | {
      readonly provider: 'rfc2136'
      /** The primary server, as resolvers are written: `2001:db8::53` or `[::1]:5353`. */
      readonly server: string
      readonly key: TsigKey
      /** Default: the zone that the server names for the record. */
      readonly zone?: string | undefined
    }

/** Loads only the provider that is used: an SDK is large. */
export const createProvider = async (settings: ProviderSettings): Promise<DnsProvider> => {
  if (settings.provider === 'route53') return (await import('./route53.ts')).route53(settings)
  if (settings.provider === 'cloudflare') return (await import('./cloudflare.ts')).cloudflare(settings)
  if (settings.provider === 'rfc2136') return (await import('./rfc2136.ts')).rfc2136(settings)
  return manual()
}
