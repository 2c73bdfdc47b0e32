import { readFileSync } from 'node:fs'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { InboundLimits } from './inbound-limits.ts'

/** Descriptors that are no connections to peers: SQLite's files and a backup, log, control socket and its callers, DNS, interfaces, libuv. */
const reserved = 64
/** Dials of a race, probes, and registries, beside the connections to members. */
const dials = 16
/** Connections of the HTTP server, where it is on: one part in sixteen, and no more than it needs. */
const mostHttp = 64
const httpShare = 16
/** With fewer inbound connections a node serves nobody. */
const fewest = 16

/** Files that this process may have open at a time (RLIMIT_NOFILE); undefined: no limit, or one that the system does not tell. */
export const openFileLimit = (table = '/proc/self/limits'): number | undefined => {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(table, 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/** Connections that the HTTP server may have. */
export const httpConnections = (files: number = openFileLimit() ?? Number.POSITIVE_INFINITY): number =>
  Math.max(1, Math.min(mostHttp, Math.floor(files / httpShare)))

/**
 * The limits of inbound connections, as many as the descriptors allow; says so when these are fewer than configured.
 * @throws ConfigError when there are too few for a node at all
 */
export const limitsFor = (
  { limits, http }: Pick<Config, 'limits' | 'http'>,
  logger: Logger,
  files: number | undefined = openFileLimit()
): InboundLimits => {
  if (files === undefined) return limits
  const others = reserved + dials + limits.peersMax + (http.listen === undefined ? 0 : httpConnections(files))
  const sockets = files - others
  const raise = 'raise it with LimitNOFILE of the unit or `ulimit -n`, or lower limits.peersMax'
  if (sockets < fewest) {
    throw new ConfigError([`only ${files} files may be open at a time and ${others + fewest} are needed: ${raise}`])
  }
  if (sockets < limits.connections) {
    logger.warn(
      { open_files: files, connections: sockets },
      `only ${files} files may be open at a time: ${sockets} inbound connections are taken instead of ${limits.connections} (limits.connections); ${raise}`
    )
  }
  return {
    ...limits,
    sockets,
    connections: Math.min(limits.connections, sockets),
    unfinished: Math.min(limits.unfinished, Math.floor(sockets / 2))
  }
}
