import { parseAddr } from '../../address/multiaddr.ts'
import { canonical } from '../../dns/published.ts'
import { isRegistryRole } from '../../identity/role.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import type { NodeParts } from '../node-parts.ts'
import type { DnsResolver } from '../resolve/dns.ts'

/** Contents of `tnr.<domain>` beside the address that a first start must find there. */
export interface TnrDifference {
  readonly domain: string
  readonly says: readonly string[]
  /** Address of this registry, the most widely reachable one. */
  readonly own: string
  /** Addresses that it says and no registry has any more. */
  readonly stale: readonly string[]
}

const everyMs = 10 * 60_000
const firstMs = 60_000

/** Looks now and then what `tnr` says, at a registry: others begin there. */
export const watchTnr = (
  services: Supervisor,
  { dns, config, domain }: { dns: DnsResolver; config: Config; domain: string }
): Running | undefined =>
  isRegistryRole(config.role)
    ? services.run('tnr', { everyMs, firstMs, round: (signal) => dns.look(domain, signal) })
    : undefined

/** Difference between `tnr` and where this registry is now; undefined: it does not, or is not used. */
export function tnrDifference(
  { config, resolvers }: Pick<NodeParts, 'config' | 'resolvers'>,
  { registry, announced }: { registry: Registry; announced: readonly string[] }
): TnrDifference | undefined {
  const { answer } = resolvers.dns
  if (!isRegistryRole(config.role) || answer?.kind !== 'found') return undefined
  const { port } = config.bootstrap
  const own = dialable(announced, port)
  const says = answer.addresses.map(({ address }) => canonical('AAAA', address))
  const [first] = own
  if (first === undefined || own.some((address) => says.includes(address))) return undefined
  const { replica, records } = registry
  const others = new Set(
    replica.state.registries().flatMap(({ publicKey }) => dialable(records.read(publicKey)?.addrs ?? [], port))
  )
  return {
    domain: registry.genesis.value.domain,
    says,
    own: first,
    stale: says.filter((address) => !others.has(address))
  }
}

const dialable = (addrs: readonly string[], port: number): string[] =>
  addrs.map(parseAddr).flatMap((addr) => (addr?.port === port ? [canonical('AAAA', addr.ip)] : []))
