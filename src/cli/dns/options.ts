import type { ProviderName } from '../../dns/providers/provider.ts'
import type { RunningOptions } from '../access/find-running.ts'

export interface DnsOptions extends RunningOptions {
  domain?: string
  /** Name servers to ask instead of the zone's own. */
  ask?: string[]
}

export interface ShowOptions extends DnsOptions {
  address?: string[]
  provider: ProviderName
}

export interface CheckOptions extends DnsOptions {
  watch?: boolean
  every: number
}

export interface SetOptions extends DnsOptions {
  provider: ProviderName
  add?: string[]
  remove?: string[]
  prune?: boolean
  plan?: boolean
  ttl: number
  /** ms; false: not at all. */
  wait: number | false
  awsProfile?: string
  zoneId?: string
  server?: string
  zone?: string
}
