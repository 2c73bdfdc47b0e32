import { scopeOf } from '../../address/ipv6.ts'
import { socketParts } from '../../address/spelling.ts'
import { isRegistryRole } from '../../identity/role.ts'
import { servicesBytes } from '../../registry/objects/service.ts'
import { announcedAs, maxServicesBytes } from '../services/offered.ts'
import { ownStore } from './field-types/root-store-field.ts'
import type { Config } from './schema.ts'

/** Rules that need more than one key. Each problem begins with the key. */
export const crossChecks = (config: Config): { key: string; message: string }[] => {
  const { heartbeat: beat, replication: pull, limits: limit } = config
  const checks: [boolean, string, string][] = [
    [beat.timeoutMs < beat.intervalMs, 'heartbeat.timeout', 'must be shorter than heartbeat.interval'],
    [pull.backoffInitialMs <= pull.backoffMaxMs, 'replication.backoffInitial', 'is longer than replication.backoffMax'],
    [limit.peersWanted <= limit.peersMax, 'limits.peersWanted', 'is more than limits.peersMax'],
    [limit.unfinishedPerPrefix <= limit.unfinished, 'limits.unfinishedPerPrefix', 'is more than limits.unfinished'],
    [isListenScopeAnnounced(config), 'announce.allow', listenScopeMissing(config)],
    [isEachOnce(config.services), 'services', 'has a name twice'],
    [bytesOf(config.services) <= maxServicesBytes, 'services', tooLong(config.services)],
    [isRootStoreUsed(config), 'root.store', rootStoreUnused(config)],
    [isHttpClosed(config.http), 'http.tokenFile', httpIsOpen(config.http)],
    [config.announce.addresses?.length !== 0, 'announce.addresses', 'is empty: leave it out, or name an address']
  ]
  return checks.filter(([fine]) => !fine).map(([, key, message]) => ({ key, message }))
}

const isEachOnce = (services: Config['services']): boolean =>
  new Set(services.map(({ name }) => name)).size === services.length

const bytesOf = (services: Config['services']): number =>
  servicesBytes(services.map((service) => announcedAs(service, 'unknown')))

const tooLong = (services: Config['services']): string =>
  `has names and tags of ${bytesOf(services)} bytes in the record of the node, where there is room for ${maxServicesBytes}: leave some out`

/** A node that listens on one address alone has no other to announce. */
const isListenScopeAnnounced = (config: Config): boolean =>
  config.listen.host === '::' ||
  config.announce.addresses !== undefined ||
  config.announce.allow.some((scope) => scope === scopeOf(config.listen.host))

const listenScopeMissing = ({ listen: { host } }: Config): string =>
  `lacks ${scopeOf(host)}, the scope of listen.host ${host}, so nothing would be announced: add it, or name announce.addresses`

/** Only a registry that keeps nothing but the log and records stands for the place of the root. */
const isRootStoreUsed = ({ root: { store }, role }: Config): boolean =>
  store === undefined || store === ownStore || isRegistryRole(role)

const rootStoreUnused = ({ role }: Config): string =>
  `is of no use with role: ${role}: a root has it, and each secondary that is to take its place`

/** Others reach it only with a token. */
const isHttpClosed = ({ listen: address, tokenFile }: Config['http']): boolean =>
  address === undefined || tokenFile !== undefined || socketParts(address).host === '::1'

const httpIsOpen = ({ listen: address = '' }: Config['http']): string =>
  `is missing: other machines reach ${address} (http.listen). Name a file with a token of at least 16 characters, or listen on [::1]`
