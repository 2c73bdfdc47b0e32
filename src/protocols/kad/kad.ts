import { type PeerInfo, type Startable, serviceDependencies, start, stop } from '@libp2p/interface'
import { type KadDHT, type KadDHTComponents, kadDHT } from '@libp2p/kad-dht'
import { networkIdText } from '../../identity/network-id.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { compareRecords, type NodeRecord } from '../../registry/objects/record.ts'
import { within } from '../../runtime/abort.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { InvalidPayloadError, NotFoundError, StaleRecordError } from '../../runtime/errors.ts'
import { defaultLimits, type ProtocolLimits } from '../engine/limits.ts'
import type { ConnectionTrust } from '../engine/trust/connection-trust.ts'
import { filterPeer, guardComponents } from './components.ts'
import { namespace, recordKey } from './record-key.ts'
import { type KadSource, newestOf, validateValue } from './validate.ts'

export interface KadInit {
  source: KadSource
  trust: ConnectionTrust
  logger: Logger
  /** Holds values of others and answers queries: registries do, others ask only. */
  server: boolean
  limits?: ProtocolLimits['kad']
}

interface KadOptions {
  signal?: AbortSignal
}

/** The DHT of a network: signed node records by PeerId, as hints where a member may be found. */
export interface Kad {
  readonly protocol: string
  /** Puts the own record. Answers how many servers hold it. */
  putRecord(record: Signed<NodeRecord>, options?: KadOptions): Promise<number>
  /**
   * The newest record of a member that the servers near its key hold.
   * @throws NotFoundError nobody answered with one in time
   */
  findRecord(publicKey: Uint8Array, options?: KadOptions): Promise<Signed<NodeRecord>>
}

export const kadProtocol = (networkId: Uint8Array): string => `/trustnet/${networkIdText(networkId)}/kad/1.0.0`

/** kad-dht brings a validator for public keys, which anybody can make as many of as they like. */
const refuse = (): never => {
  throw new InvalidPayloadError('Only node records are held.')
}

class KadService implements Kad, Startable {
  readonly protocol: string
  readonly [serviceDependencies] = ['@libp2p/identify', '@libp2p/ping']
  readonly #init: KadInit
  readonly #limits: ProtocolLimits['kad']
  readonly #dht: KadDHT
  readonly #components: KadDHTComponents
  readonly #peerStore: KadDHTComponents['peerStore']
  #running = false
  #ignorePeers = () => {}

  constructor(components: KadDHTComponents, init: KadInit) {
    const { source, trust } = init
    this.#init = init
    this.#limits = init.limits ?? defaultLimits.kad
    this.protocol = kadProtocol(source.networkId)
    this.#peerStore = components.peerStore
    this.#components = guardComponents(components, { source, trust, limits: this.#limits })
    this.#dht = kadDHT({
      protocol: this.protocol,
      clientMode: !init.server,
      // The only server of a network, or a node that is alone, must not wait three minutes for others.
      allowQueryWithZeroPeers: true,
      maxInboundStreams: this.#limits.streams,
      maxOutboundStreams: this.#limits.streams,
      peerInfoMapper: (peer) => filterPeer(peer, source, components.connectionManager.getConnections(peer.id)),
      validators: {
        pk: refuse,
        [namespace]: async (key, value) => {
          await validateValue(key, value, source, this.#limits)
        }
      },
      selectors: { [namespace]: async (_key, values) => await newestOf(values, source.networkId) }
    })(this.#components)
  }

  isStarted(): boolean {
    return this.#running
  }

  /** The DHT inside is no service of the host by itself: libp2p would ask it for every PeerId without an address. */
  async start(): Promise<void> {
    this.#running = true
    this.#ignorePeers = onPeers(this.#dht, this.#onPeer)
    await start(this.#dht)
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#ignorePeers()
    await stop(this.#dht)
  }

  async putRecord(record: Signed<NodeRecord>, options: KadOptions = {}): Promise<number> {
    const signal = this.#deadline(options)
    let holders = 0
    for await (const event of this.#dht.put(recordKey(record.value.publicKey), record.bytes, { signal })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') holders++
    }
    return holders
  }

  async findRecord(publicKey: Uint8Array, options: KadOptions = {}): Promise<Signed<NodeRecord>> {
    const key = recordKey(publicKey)
    const signal = this.#deadline(options)
    let newest: Signed<NodeRecord> | undefined
    try {
      for await (const record of this.#answers(key, signal)) {
        if (newest === undefined || compareRecords(positionOf(record), positionOf(newest)) > 0) newest = record
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      this.#init.logger.debug({ error: String(error) }, 'a DHT query ended early; what it found is used')
    }
    if (newest === undefined) throw new NotFoundError('No registry that answered the DHT query holds a record of it.')
    return newest
  }

  /** The valid records that come in, until enough servers have said the same. kad-dht itself waits for all, and fails with the slowest. */
  async *#answers(key: Uint8Array, signal: AbortSignal): AsyncGenerator<Signed<NodeRecord>> {
    let answers = 0
    for await (const event of this.#dht.get(key, { signal })) {
      const value =
        event.name === 'VALUE' ? event.value : event.name === 'PEER_RESPONSE' ? event.record?.value : undefined
      if (value === undefined) continue
      try {
        yield await validateValue(key, value, this.#init.source, this.#limits)
      } catch (error) {
        if (!(error instanceof StaleRecordError)) continue
        throw error
      }
      if (++answers >= this.#limits.answers) return
    }
  }

  #deadline({ signal }: KadOptions): AbortSignal {
    return within(this.#limits.queryMs, signal)
  }

  /** A member that a query told of: its addresses, as it signed them, are needed to ask it. */
  readonly #onPeer = (event: CustomEvent<PeerInfo>): void => {
    const { id, multiaddrs } = filterPeer(event.detail, this.#init.source)
    if (multiaddrs.length === 0 || id.equals(this.#components.peerId)) return
    this.#peerStore.merge(id, { multiaddrs }).catch((error: Error) => {
      this.#init.logger.debug({ peer: id.toString(), error: error.message }, 'an address from the DHT was not kept')
    })
  }
}

const positionOf = ({ value, hash }: Signed<NodeRecord>): { seq: number; hash: Uint8Array } => ({
  seq: value.seq,
  hash
})

/** The type that kad-dht exports leaves out that it tells what peers its queries hear of. */
function onPeers(dht: KadDHT, listener: (event: CustomEvent<PeerInfo>) => void): () => void {
  if (!(dht instanceof EventTarget)) return () => {}
  const target: EventTarget = dht
  const onEvent = (event: Event) => {
    if (event instanceof CustomEvent) listener(event)
  }
  target.addEventListener('peer', onEvent)
  return () => target.removeEventListener('peer', onEvent)
}

/** The service of the DHT. It needs identify, and ping as the service `ping`; it puts itself behind the members-only registrar. */
export function kad(init: KadInit): (components: KadDHTComponents) => Kad & Startable {
  return (components) => new KadService(components, init)
}
