import type { DnsFailure } from '../../dns/ask.ts'
import { addressesToTry, type Comparison, compare, confirmed } from '../../dns/compare.ts'
import { lookupPublished, type Published } from '../../dns/published.ts'
import { answering } from '../../dns/reach.ts'
import { tnrName } from '../../dns/tnr.ts'
import type { ControlApi } from '../../node/api/control-api.ts'
import { normalDomain } from '../../node/config/domain.ts'
import { loadedConfig } from '../access/config-source.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { sanitise } from '../output/text.ts'
import type { DnsOptions } from './options.ts'

export interface Facts {
  readonly domain: string
  /** Resolvers of the running node's configuration. */
  readonly resolvers: readonly string[]
  readonly published: Published
  readonly comparison: Comparison
}

/** --domain, the running network's, or the configuration's. @throws UsageError */
export const domainOf = async (
  context: Context,
  options: DnsOptions,
  client: ControlApi | undefined
): Promise<string> => {
  if (options.domain !== undefined) {
    const given = normalDomain(options.domain)
    if (given === undefined) throw new UsageError(`'${sanitise(options.domain)}' is no domain name, like example.org.`)
    return given
  }
  const { network } = client === undefined ? { network: null } : await client.status({}, { signal: context.signal })
  if (network !== null) return network.domain
  const { config } = await loadedConfig(context, options.config === undefined ? {} : { config: options.config })
  if (config.domain !== undefined) return config.domain
  throw new UsageError('No domain is known here: name it with --domain, like --domain example.org.')
}

/** Reads what the zone's servers say. @throws ExitError 7 when none can be asked */
const publishedNow = async (
  context: Context,
  domain: string,
  options: DnsOptions,
  resolvers: readonly string[]
): Promise<Published> => {
  const key = { name: tnrName(domain), type: 'AAAA' as const }
  const published: Published | DnsFailure = await lookupPublished(key, {
    authorities: options.ask,
    servers: resolvers,
    signal: context.signal
  })
  if (!('servers' in published)) throw cannotAsk(published.message)
  if (published.servers.every(({ failure }) => failure !== undefined)) {
    throw cannotAsk(published.servers.map(({ server, failure }) => `${server}: ${failure?.message}`).join('\n'))
  }
  return published
}

const cannotAsk = (why: string): ExitError =>
  new ExitError(
    exitCodes.timeout,
    `No name server of the zone can be asked: ${why}.\nTry again, or name one with --ask ADDRESS.`
  )

/** Both sides of the comparison, what was only told tried from here. @throws NothingRunningError, ExitError */
export const factsNow = async (context: Context, client: ControlApi, options: DnsOptions): Promise<Facts> => {
  const domain = await domainOf(context, options, client)
  const { signal } = context
  const [registry, status] = await Promise.all([client.registryStatus({}, { signal }), client.status({}, { signal })])
  const { port, resolvers } = status.dns
  const published = await publishedNow(context, domain, options, resolvers)
  const told = compare({ domain, published, registries: registry.registries, port })
  const answers = await answering(addressesToTry(told), port, { signal })
  return { domain, resolvers, published, comparison: confirmed(told, answers) }
}
