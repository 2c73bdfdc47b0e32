import { equals } from 'uint8arrays/equals'
import { AddressWatch } from '../../address/announced-addresses.ts'
import type { SigningKey } from '../../identity/keys.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Registry } from '../../registry/registry.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { StaleRecordError } from '../../runtime/errors.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import type { Host } from '../host/host-services.ts'
import { announceAgain } from '../host/libp2p.ts'
import { type SelfChange, SelfRecord, type SelfRecordInit } from './record.ts'

export interface SelfPublisherInit {
  config: Config
  key: SigningKey
  says: Pick<SelfRecordInit, 'software' | 'offers'>
  registry: Registry
  clock: Clock
  logger: Logger
  /** Tells whether this process speaks for its key: a cloned machine that gets no lease must not overwrite the record of the first one. */
  mayPublish: () => boolean
  /** Tells others the new record of this node. */
  tell: (record: Signed<NodeRecord>) => Promise<void>
}

const storeKey = 'self-record'
const contestPauseMs = 60_000

/** Tells others where this node is: its addresses, its record, and every change of both. */
export class SelfPublisher {
  readonly record: SelfRecord
  readonly #init: SelfPublisherInit
  #host: Host | undefined
  #watch: AddressWatch | undefined
  #announced: readonly string[] = []
  #publishing: Promise<void> | undefined
  #contestedAt = Number.NEGATIVE_INFINITY
  #issuing: Promise<unknown> = Promise.resolve()

  constructor(init: SelfPublisherInit) {
    const { registry, key, config, says, clock } = init
    this.#init = init
    this.record = new SelfRecord({
      networkId: registry.networkId,
      key,
      role: config.role,
      ...says,
      clock,
      addrs: () => this.#announced,
      store: {
        load: () => registry.meta.get(storeKey),
        save: async (envelope) => await registry.meta.set(storeKey, envelope),
        isRestored: () => registry.restored !== undefined
      }
    })
  }

  /** Addresses told to others now, best first. */
  get announced(): readonly string[] {
    return this.#announced
  }

  /** Chooses the addresses of the port that is listened on, and follows their changes. */
  async start(services: Supervisor, host: Host, port: number): Promise<void> {
    const { announce, listen } = this.#init.config
    this.#host = host
    if (announce.addresses !== undefined) {
      this.#announced = announce.addresses
      return
    }
    this.#watch = new AddressWatch({
      port,
      allow: announce.allow,
      interfaces: announce.interfaces,
      prefixes: announce.prefixes,
      host: listen.host,
      onChange: (addresses) => inBackground(this.readdress(addresses), 'announcing changed addresses')
    })
    this.#announced = await this.#watch.start(services)
    if (this.#announced.length === 0) {
      this.#init.logger.warn(
        { allow: announce.allow.join(' ') },
        'this machine has no stable IPv6 address of the allowed scopes, interfaces and prefixes, so nobody can dial it: give it one, or set announce.addresses; it is looked for again every 5 s'
      )
    }
  }

  /** Follows a changed configuration. */
  async announceAnew(services: Supervisor, host: Host, port: number): Promise<void> {
    this.#watch?.stop()
    this.#watch = undefined
    await this.start(services, host, port)
    await this.readdress(this.#announced)
  }

  stop(): void {
    this.#watch?.stop()
  }

  /** A member whose own store does not hold its present record publishes it. */
  ensure(): Promise<void> {
    this.#publishing ??= this.#ensure().finally(() => {
      this.#publishing = undefined
    })
    return this.#publishing
  }

  async #ensure(): Promise<void> {
    if (!this.#mayPublish()) return
    const { current } = this.record
    if (current !== undefined && this.record.isRight && !this.#isHeld()) {
      await this.#store(current)
      this.#host?.services.announce?.announceRecord(current.bytes)
    }
    if (!this.record.isRight || !this.#isHeld()) await this.publish()
  }

  /** A record with a higher seq, for the slow refresh of gossip; undefined: this node is no member. */
  async refresh(): Promise<Uint8Array | undefined> {
    return this.#mayPublish() ? (await this.#issue({})).bytes : undefined
  }

  /** Signs the next record and gives it to the own store, the registry, gossip and the DHT. */
  async publish(change: SelfChange = {}): Promise<void> {
    await this.#init.tell(await this.#issue(change))
  }

  /** The record that says that this node left for good; undefined: it was no member. */
  async farewell(): Promise<Uint8Array | undefined> {
    return this.#mayPublish() ? (await this.#issue({ left: true })).bytes : undefined
  }

  /** One after the other: of two at a time the older one could come second to the store, which would refuse it. */
  async #issue(change: SelfChange): Promise<Signed<NodeRecord>> {
    const issued = this.#issuing.then(async () => {
      const record = await this.record.issue(change)
      await this.#store(record)
      return record
    })
    this.#issuing = issued.catch(() => undefined)
    return await issued
  }

  /** Registering signs records as well, and a newer one may be stored already. */
  async #store(record: Signed<NodeRecord>): Promise<void> {
    try {
      await this.#init.registry.records.put(record.bytes, { source: 'self' })
    } catch (error) {
      if (!(error instanceof StaleRecordError)) throw error
      this.record.learn(error.held)
    }
  }

  /** This machine has other addresses now: libp2p, the record and everybody get them. */
  async readdress(addresses: readonly string[]): Promise<void> {
    const { logger } = this.#init
    this.#announced = addresses
    logger.info({ ipv6_addr: addresses.join(' ') }, 'the addresses of this machine changed; they are registered again')
    try {
      if (this.#host !== undefined) await announceAgain(this.#host, addresses)
      if (this.#mayPublish()) await this.publish()
    } catch (error) {
      logger.warn({ error: String(error) }, 'the new addresses were not told to everybody; the next refresh does')
    }
  }

  /** Answers a record of another process with the same key by a newer one, so that it learns of us; two of them do not race for it. */
  async contest(): Promise<void> {
    const { clock, logger } = this.#init
    const now = clock.monotonic()
    if (now - this.#contestedAt < contestPauseMs) return
    this.#contestedAt = now
    await this.ensure().catch((error: Error) => {
      logger.warn({ error: error.message }, 'the own record was not published; the next change or refresh does it')
    })
  }

  /** A record of our own key came. @returns whether it is foreign: seen while this process speaks for the key, another one has it, too */
  heard(record: Signed<NodeRecord>): boolean {
    const { current } = this.record
    if (this.#mayPublish()) return current !== undefined && record.value.seq > current.value.seq
    this.record.learn(record.bytes)
    return false
  }

  #mayPublish(): boolean {
    const { registry, key, mayPublish } = this.#init
    return registry.replica.isMember(key.publicKey) && mayPublish()
  }

  /** Tells whether the own store has it. */
  #isHeld(): boolean {
    const held = this.#init.registry.records.get(this.#init.key.publicKey)
    return held !== undefined && this.record.current !== undefined && equals(held.hash, this.record.current.hash)
  }
}
