import type { Logger } from '../../runtime/clock-and-logger.ts'
import { ConfigError } from '../errors.ts'
import { isOwnService } from '../host/host-services.ts'
import type { LibraryMetrics } from '../host/libp2p.ts'
import { ProgramProtocols } from './protocols.ts'
import { ProgramTopics } from './topics.ts'

/** Makes a part of libp2p out of its other parts. */
export type PartFactory<T> = (components: never) => T

export interface ProgramInit {
  /** Names of the topics on which the program hears and speaks, at most 8. */
  readonly topics?: readonly string[] | undefined
  /** Parts of libp2p that the program brings along. Its services see members alone. */
  readonly libp2p?:
    | {
        readonly services?: Readonly<Record<string, PartFactory<unknown>>> | undefined
        readonly metrics?: LibraryMetrics | undefined
      }
    | undefined
}

/** Protocols, topics and services of the program that this node is a part of; they outlast its host. */
export class Program {
  readonly protocols: ProgramProtocols
  readonly topics: ProgramTopics
  readonly services: Readonly<Record<string, PartFactory<unknown>>>
  readonly metrics: LibraryMetrics | undefined

  /** @throws ConfigError for a topic that is no name, and for a service whose name is taken */
  constructor({ topics = [], libp2p = {} }: ProgramInit, logger: Logger) {
    this.protocols = new ProgramProtocols(logger)
    this.topics = new ProgramTopics(topics)
    this.services = libp2p.services ?? {}
    const taken = Object.keys(this.services).filter(isOwnService)
    if (taken.length > 0)
      throw new ConfigError(taken.map((name) => `TrustNet has a service '${name}' of its own: choose another name`))
    this.metrics = libp2p.metrics
  }
}
