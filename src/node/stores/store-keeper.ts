import { setImmediate } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { BlockExchange } from '../../protocols/blocks/index.ts'
import { lookupAll } from '../../protocols/lookup/index.ts'
import type { RecordEvent } from '../../registry/records/records.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { Throttle } from '../../runtime/throttle.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { NodeParts } from '../node-parts.ts'
import { followStores } from './follow-stores.ts'
import { ManifestFetches } from './manifest-fetches.ts'
import { Offers } from './offers.ts'
import type { SharedFolders } from './shared-folders.ts'
import { digestOf, type StoreEntry, stateText, type Version } from './store-entry.ts'
import { StoreFetches } from './store-fetches.ts'
import { mayBeNamed, storeText } from './store-names.ts'
import type { Stores } from './stores.ts'

export interface StoreKeeperInit {
  node: NodeParts
  network: NetworkParts
  exchange: BlockExchange
  /** Folders that this node shares. */
  folders: SharedFolders
}

const everyMs = 60_000
/** Time without an answer after which those who are silent are waited for no more. */
const quietMs = 2_000
/** Members that are named as silent. */
const mostSilent = 16
const mostLooks = 4
const newsMs = 1_000
const fillMs = 2_000
/** The records of a network are listed no more often by a node that keeps none. */
const listMs = 300_000
const unreadMs = 2_000
/** A record is signed for stores of others no more often. */
const publishMs = 30_000
/** Manifests come in bursts, too. */
const manifestsMs = 200
/** Records that are read before other work has its turn. */
const recordsAtOnce = 100

/** Shares the folders of this node, and follows the stores of others as its configuration and its operators say. */
export class StoreKeeper {
  readonly offers = new Offers()
  readonly folders: SharedFolders
  readonly fetches: StoreFetches
  readonly #init: StoreKeeperInit
  readonly #stores: Stores
  readonly #registry: Registry
  readonly #clock: Clock
  readonly #stops: (() => unknown)[] = []
  /** Records come in bursts. */
  readonly #waking = new Throttle(() => this.wake(), newsMs)
  readonly #following = new Throttle(() => this.wake(), manifestsMs)
  readonly #manifests: ManifestFetches
  #looking: Running | undefined
  #hasRead = false
  #listedMs = Number.NEGATIVE_INFINITY
  #publishedMs = Number.NEGATIVE_INFINITY
  #published = ''
  #publishedOwn = ''
  #isDamaged = false
  /** Resolves when members name other stores than before. */
  #news = Promise.withResolvers<void>()

  constructor(init: StoreKeeperInit) {
    const { node, network, exchange, folders } = init
    const { stores, registry } = network
    this.#init = init
    this.#stores = stores
    this.#registry = registry
    this.#clock = node.clock
    this.folders = folders
    this.#manifests = new ManifestFetches({
      stores,
      offers: this.offers,
      exchange,
      clock: node.clock,
      peers: (keys) => this.#peers(keys),
      onManifest: () => this.#following.ask()
    })
    this.fetches = new StoreFetches({
      stores,
      exchange,
      logger: node.logging.logger,
      sources: (entry, version) => this.#sources(entry, version),
      nameOf: (entry) => storeText(registry, entry),
      onChange: () => this.wake(),
      onRefused: (entry, why) => registry.alarms.raise('content_refused', why, { store: storeText(registry, entry) })
    })
  }

  /** Key of this node. */
  get #self(): Uint8Array {
    return this.#init.node.key.publicKey
  }

  start(services: Supervisor): void {
    const { trust } = this.#init.network
    const { events } = this.#registry
    this.#looking = services.run('stores', { everyMs, firstMs: 0, round: (signal) => this.#round(signal) })
    const filling = services.run('store fetches', { everyMs: fillMs, round: () => this.fetches.fill() })
    this.#stores.onDamaged = () => {
      this.#isDamaged = true
      this.#waking.ask()
    }
    events.addEventListener('record', this.#onRecord)
    events.addEventListener('ended', this.#onEnded)
    this.#stops.push(
      () => events.removeEventListener('record', this.#onRecord),
      () => events.removeEventListener('ended', this.#onEnded),
      trust.onMember(() => this.fetches.fill()),
      () => filling.stop(),
      () => this.#waking.stop(),
      () => this.#following.stop(),
      () => this.#manifests.stop()
    )
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#stops.map((stop) => stop()), this.#looking?.stop()])
    await this.fetches.stop()
  }

  /** Learns of all stores that members name, as far as that comes within the signal. */
  async look(signal: AbortSignal): Promise<void> {
    // Somebody waits for it.
    this.#manifests.again()
    try {
      await this.#readRecords(signal)
      this.#stores.manifests.keepOnly([...this.offers.all()].map(({ digest }) => digest))
      this.#manifests.seek(() => true)
      await this.#manifests.quiet(quietMs, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Resolves when members name other stores than now. */
  async nextNews(): Promise<void> {
    await this.#news.promise
  }

  /** Versions that members name and whose manifests are not here, and the keys of some of those who name them. */
  get unknown(): { versions: number; members: Uint8Array[] } {
    const { manifests } = this.#stores
    const unknown = [...this.offers.all()].filter(({ digest }) => manifests.get(digest) === undefined)
    const members = new Map(unknown.flatMap(({ holders }) => [...holders]))
    return {
      versions: unknown.length,
      members: [...members.values()].slice(0, mostSilent).map(({ publicKey }) => publicKey)
    }
  }

  /** Number of other members that name a version. */
  holders(digest: Uint8Array): number {
    return this.offers.holders(digest).filter((key) => !equals(key, this.#self)).length
  }

  /** Looks anew at what is offered and wanted. */
  wake(): void {
    this.#looking?.wake()
    this.#init.node.changed()
  }

  readonly #onRecord = ({ detail }: CustomEvent<RecordEvent>): void => {
    const { publicKey, stores } = detail.record.value
    if (!this.offers.note(publicKey, stores)) return
    this.#news.resolve()
    this.#news = Promise.withResolvers()
    if (this.#stores.isUsed) this.#waking.ask()
  }

  readonly #onEnded = ({ detail }: CustomEvent<{ publicKey: Uint8Array }>): void => {
    this.offers.note(detail.publicKey)
    if (this.#stores.isUsed) this.#waking.ask()
  }

  /** A node that has no store and wants none leaves all of it alone. */
  get #isIdle(): boolean {
    const { fetch } = this.#stores.config
    return !this.#stores.isUsed && (fetch === 'none' || fetch.length === 0)
  }

  async #round(signal: AbortSignal): Promise<number | undefined> {
    if (this.#isIdle) return undefined
    const stores = this.#stores
    await stores.open()
    if (this.#isDamaged) await this.#mend()
    const isRead = await this.#readRecords(signal)
    this.#manifests.seek((name) => mayBeNamed(stores.config.fetch, name) || this.#isKept(name))
    let isChanged = false
    // One change may lead to another.
    for (let looks = 0; looks < mostLooks && (await this.#follow()); looks++) isChanged = true
    this.fetches.fill()
    const pauseMs = await this.#publish()
    if (isChanged) this.#init.node.changed()
    await stores.tidy(signal)
    return isRead ? pauseMs : unreadMs
  }

  async #follow(): Promise<boolean> {
    return await followStores({
      stores: this.#stores,
      offers: this.offers,
      registry: this.#registry,
      self: this.#self,
      keeper: this,
      logger: this.#init.node.logging.logger
    })
  }

  /** Puts back what is missing of blocks: folders of this node are read again, and the rest is fetched. */
  async #mend(): Promise<void> {
    this.#isDamaged = false
    this.#init.node.logging.logger.warn(
      'the disk has changed blocks of stores, which are gone: shared folders are read again, and what is missing of other stores is fetched; check the disk'
    )
    for (const entry of this.#stores.list())
      if (entry.isOwn) this.folders.ask(entry)
      else await this.fetches.mend(entry)
  }

  #isKept(name: string): boolean {
    return this.#stores.list().some((entry) => entry.name === name)
  }

  /** All records once, and from then on those that come. False: there is nobody yet who could be asked for them. */
  async #readRecords(signal: AbortSignal): Promise<boolean> {
    const { records } = this.#registry
    // A node that keeps none of others asks its registry for them.
    if (!this.#init.node.config.replication.enabled) return await this.#listRecords(signal)
    if (this.#hasRead) return true
    for (const [index, publicKey] of [...records.keys()].entries()) {
      signal.throwIfAborted()
      this.offers.note(publicKey, records.read(publicKey)?.stores)
      if (index % recordsAtOnce === 0) await setImmediate()
    }
    this.#hasRead = true
    return true
  }

  async #listRecords(signal: AbortSignal): Promise<boolean> {
    const { network, node } = this.#init
    const { networkId, replica } = this.#registry
    const connection = network.session?.peer.connection
    if (connection === undefined) return this.#listedMs > Number.NEGATIVE_INFINITY
    const now = this.#clock.monotonic()
    if (now - this.#listedMs < listMs) return true
    this.#listedMs = now
    try {
      for await (const { rows } of lookupAll(connection, {}, { networkId, limits: network.limits, signal })) {
        for (const { publicKey, record } of rows)
          if (replica.isMember(publicKey)) this.offers.note(publicKey, record?.value.stores)
      }
    } catch (error) {
      signal.throwIfAborted()
      node.logging.logger.info(
        { error: reasonOf(error) },
        'the stores of the network could not be listed; it is tried again in 5 minutes'
      )
    }
    return true
  }

  /** Its owner, and all who name this version of it or the one before. */
  #sources({ owner, versions }: StoreEntry, version: Version): PeerId[] {
    const digests = [version, ...versions].map(digestOf)
    return this.#peers([owner, ...digests.flatMap((digest) => this.offers.holders(digest))])
  }

  /** Others than this node, each once, as long as they are members. */
  #peers(keys: readonly Uint8Array[]): PeerId[] {
    const members = new Map(keys.map((key) => [keyId(key), key]))
    return [...members.values()]
      .filter((key) => !equals(key, this.#self) && this.#registry.replica.isMember(key))
      .map(peerIdOf)
  }

  /** Has the record say what stores there are. Gives the pause after which it is due again. */
  async #publish(): Promise<number | undefined> {
    const now = this.#stores.announced().map(({ name, digest }) => `${name} ${keyId(digest)}`)
    if (now.join() === this.#published) return undefined
    const own = this.#stores.list().filter(({ isOwn }) => isOwn)
    const ownNow = own.map(stateText).join()
    const waitMs = this.#publishedMs + publishMs - this.#clock.monotonic()
    // Others wait for a version of this node, and for nothing that it fetches.
    if (waitMs > 0 && ownNow === this.#publishedOwn) return waitMs
    this.#publishedMs = this.#clock.monotonic()
    await this.#init.network.self.ensure()
    this.#published = now.join()
    this.#publishedOwn = ownNow
    return undefined
  }
}

const peerIds = new WeakMap<Uint8Array, PeerId>()

/** Made once for each key: whoever fetches asks for its sources ten times a second. */
function peerIdOf(key: Uint8Array): PeerId {
  const peerId = peerIds.get(key) ?? peerIdFromString(peerIdText(key))
  peerIds.set(key, peerId)
  return peerId
}
