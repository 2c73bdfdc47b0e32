import { randomBytes } from 'node:crypto'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import type { NodeParts } from '../node-parts.ts'
import { defaultRouters } from './default-router.ts'
import { type Pinhole, Pinholes, type Target } from './pinholes.ts'
import { RouterAnnouncements } from './router-announcements.ts'

/** Addresses of this machine, and its routers, are compared with those of before. */
const lookMs = 30_000
const secretKey = 'pinhole-secret'
const secretBytes = 32

/** The parts of a node that are used. */
export interface PinholeNode {
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Pick<Registry, 'meta'>
  /** Multiaddrs that others are told. */
  readonly announced: () => readonly string[]
  /** Something that a view shows has changed. */
  readonly changed: () => void
}

/** Has routers let others in at the addresses that this node announces. */
export class PinholeKeeper {
  readonly #node: PinholeNode
  #pinholes: Pinholes | undefined
  #announcements: RouterAnnouncements | undefined
  #running: Running | undefined

  constructor(node: PinholeNode) {
    this.#node = node
  }

  get all(): readonly Pinhole[] {
    return this.#pinholes?.all ?? []
  }

  start(services: Supervisor): void {
    this.#running = services.run('pinholes', { everyMs: lookMs, firstMs: 0, round: (signal) => this.#round(signal) })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#announcements?.[Symbol.dispose]()
    await this.#pinholes?.close()
  }

  async #round(signal: AbortSignal): Promise<number> {
    const { clock, logger } = this.#node
    this.#pinholes ??= new Pinholes({
      targets: () => this.#targets(),
      secret: await this.#secret(),
      clock,
      logger
    })
    const before = statesOf(this.all)
    const ms = await this.#pinholes.round(signal)
    if (statesOf(this.all) !== before) this.#node.changed()
    if (ms !== undefined) this.#announcements ??= this.#hear(this.#pinholes)
    return Math.min(ms ?? lookMs, lookMs)
  }

  #hear(pinholes: Pinholes): RouterAnnouncements {
    const onHeard = (router: string, epochSeconds: number): void => {
      if (pinholes.heard(router, epochSeconds)) this.#running?.wake()
    }
    const onFailed = (error: Error): void =>
      this.#node.logger.debug({ error: reasonOf(error) }, 'routers that begin anew are not heard')
    return new RouterAnnouncements(onHeard, onFailed)
  }

  /** Announced addresses that anybody may dial, each with the router of its interface. */
  async #targets(): Promise<Target[]> {
    const [own, routers] = [await interfaceAddresses(), await defaultRouters()]
    const devices = new Map(own.map(({ address, device }) => [address, device]))
    return this.#node.announced().flatMap((announced) => {
      const addr = parseAddr(announced)
      const router = addr && routers.find(({ device }) => device === devices.get(addr.ip))
      if (addr?.scope !== 'global' || addr.port === undefined || router === undefined) return []
      return [{ address: addr.ip, port: addr.port, router }]
    })
  }

  /** A router gives a pinhole to whoever has asked for it with the same secret, also after a crash. */
  async #secret(): Promise<Uint8Array> {
    const { meta } = this.#node.registry
    const known = meta.get(secretKey)
    if (known?.byteLength === secretBytes) return known
    const secret = randomBytes(secretBytes)
    await meta.set(secretKey, secret)
    return secret
  }
}

const statesOf = (all: readonly Pinhole[]): string => all.map(({ address, state }) => `${address} ${state}`).join()

/** The parts of a node and of its network. */
export const pinholeNode = (
  node: Pick<NodeParts, 'clock' | 'logging' | 'changed'>,
  { registry, self }: Pick<PinholeNode, 'registry'> & { readonly self: { readonly announced: readonly string[] } }
): PinholeNode => ({
  clock: node.clock,
  logger: node.logging.logger,
  registry,
  announced: () => self.announced,
  changed: () => node.changed()
})
