import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { ComponentLogger, Libp2p, Metrics, PrivateKey, ServiceMap } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Libp2pInit, Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import { isAnnounceable } from '../../address/multiaddr.ts'
import { noiseCrypto } from '../../protocols/engine/libraries/noise-crypto.ts'
import { defaultLimits } from '../../protocols/engine/limits.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { coalescedTcp } from './coalesced-tcp.ts'
import { connectionList } from './connection-list.ts'
import type { DialHistory } from './dial-history.ts'
import type { Gater } from './gater.ts'

export type BaseServices = { identify: Identify; identifyPush: IdentifyPush; connectionList: object }

/** A service that is left out is one that this role does not have. */
type Factories<T extends ServiceMap> = {
  readonly [K in Exclude<keyof T, keyof BaseServices>]?: ServiceFactoryMap<Required<T>>[K] | undefined
}

/** Makes the metrics that libp2p fills in. */
export type LibraryMetrics = (components: { logger: ComponentLogger }) => Metrics

/** Places where libp2p says what it does. */
export interface LibraryOutlets {
  readonly logger: ComponentLogger
  readonly metrics?: LibraryMetrics | undefined
  /** Told of each dial. */
  readonly dials?: DialHistory | undefined
}

export interface Libp2pInitOf<T extends ServiceMap> extends LibraryOutlets {
  readonly privateKey: PrivateKey
  /** Multiaddrs to listen on: `/ip6/::/tcp/9000`. */
  readonly listen: readonly string[]
  /** The addresses to tell others now; asked anew each time. What is no announceable IPv6 address is left out. */
  readonly announce: () => readonly string[]
  readonly gater: Gater
  /** The transport of connections through members. */
  readonly relayed?: NonNullable<Libp2pInit['transports']>[number] | undefined
  readonly limits: {
    readonly dialTimeoutMs: number
    /** The longest handshake of all; the gater cuts those of strangers earlier. */
    readonly memberUpgradeTimeoutMs: number
  }
  /** Connections from link-local addresses are let in. */
  readonly link?: boolean
  readonly services?: Factories<T>
  readonly datastore?: NonNullable<Libp2pInit['datastore']>
  /** Told to others by identify as `trustnet/VERSION`. */
  readonly version?: string
}

/** Messages of identify: nothing else runs on a connection that has proved nothing but its key. */
const identifyInit = { maxMessageSize: 8192, timeout: 3000 }

/** For tests of what depends on windows, too. */
export const yamuxInit = {
  // Every protocol has a limit of its own; this is their sum with room.
  // 64 of all protocols, which the guard counts, and forwards.
  maxInboundStreams: 64 + defaultLimits.forward.ofPeer,
  streamOptions: {
    initialStreamWindowSize: 256 * 1024,
    // No growth: what a paused reader is sent must fit into its read buffer, or the stream is lost.
    maxStreamWindowSize: 256 * 1024,
    maxReadBufferLength: 512 * 1024,
    maxWriteBufferLength: 1024 * 1024
  }
}

const everybody = '/ip6/::/ipcidr/0'

/** Options for createLibp2p: TCP, Noise and yamux over IPv6, with all limits and all reconnecting in our own hands. */
export const libp2pOptions = <T extends ServiceMap>(init: Libp2pInitOf<T>): Libp2pOptions<T & BaseServices> => {
  const self = peerIdFromPrivateKey(init.privateKey).toString()
  return {
    privateKey: init.privateKey,
    ...(init.datastore === undefined ? {} : { datastore: init.datastore }),
    ...(init.version === undefined ? {} : { nodeInfo: nodeInfo(init.version) }),
    ...(init.metrics === undefined ? {} : { metrics: init.metrics }),
    logger: init.logger,
    // libp2p calls an address of its own verified only after AutoNAT has dialled it; a network of two has nobody for that.
    addresses: { listen: [...init.listen], announceFilter: () => announced(init.announce(), self) },
    transports: [tcpOf(init), ...(init.relayed === undefined ? [] : [init.relayed])],
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [yamux(yamuxInit)],
    connectionGater: init.gater,
    connectionManager: connectionManager(init.limits),
    // It opens a stream per connection every 10 s and cuts a connection whose answer takes 5 s; the session pings instead.
    connectionMonitor: { enabled: false },
    // An address is dropped one hour after it was first seen, even of a connected peer.
    peerStore: { maxAddressAge: Number.POSITIVE_INFINITY, maxPeerAge: Number.POSITIVE_INFINITY },
    services: withBase(init.services)
  }
}

const tcpOf = ({ dials, link = false }: Pick<Libp2pInitOf<ServiceMap>, 'dials' | 'link'>) =>
  coalescedTcp({ backlog: 1024 }, { onDial: dials, link })

const withBase = <T extends ServiceMap>(services: Factories<T> | undefined): ServiceFactoryMap<T & BaseServices> => {
  const base = {
    identify: identify(identifyInit),
    identifyPush: identifyPush(identifyInit),
    connectionList: connectionList()
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript cannot see that a mapped type of a union of keys is the two mapped types
  return { ...services, ...base } as ServiceFactoryMap<T & BaseServices>
}

const nodeInfo = (version: string) => ({ name: 'trustnet', version, userAgent: `trustnet/${version}` })

const connectionManager = (
  limits: Libp2pInitOf<ServiceMap>['limits']
): NonNullable<Libp2pInit['connectionManager']> => ({
  // Inbound limits count per /64 and spare members: the gater does that, libp2p counts single addresses.
  allow: [everybody],
  maxConnections: Number.MAX_SAFE_INTEGER,
  inboundUpgradeTimeout: limits.memberUpgradeTimeoutMs,
  // A frozen peer holds up gossipsub, which opens its streams one after another.
  outboundStreamProtocolNegotiationTimeout: 2000,
  inboundStreamProtocolNegotiationTimeout: 3000,
  dialTimeout: limits.dialTimeoutMs,
  addressDialTimeout: limits.dialTimeoutMs,
  reconnectRetries: 0,
  // No dnsaddr: names are resolved by src/dns alone.
  resolvers: {}
})

const announced = (addresses: readonly string[], self: string): Multiaddr[] =>
  addresses.filter((address) => isAnnounceable(address)).map((address) => multiaddr(`${address}/p2p/${self}`))

/** Tells libp2p that `announce()` answers something else now, so that connected peers hear it by identify push. */
export const announceAgain = async (libp2p: Libp2p, addresses: readonly string[]): Promise<void> => {
  const multiaddrs = addresses.filter((address) => isAnnounceable(address)).map((address) => multiaddr(address))
  await libp2p.peerStore.patch(libp2p.peerId, { multiaddrs })
}

/**
 * Keeps the peer store to those who matter: without it every key that ever connected stays, and keys are free.
 * `keep` says for a PeerId whether it is a member. Returns a function that stops it.
 */
export const forgetStrangers = (libp2p: Libp2p, keep: (peerId: string) => boolean): (() => void) => {
  const onUpdate = ({ detail: { peer } }: CustomEvent<{ peer: { id: Libp2p['peerId'] } }>): void => forget(peer.id)
  const onDisconnect = ({ detail }: CustomEvent<Libp2p['peerId']>): void => forget(detail)
  const forget = (peerId: Libp2p['peerId']): void => {
    if (peerId.equals(libp2p.peerId) || libp2p.getConnections(peerId).length > 0 || keep(peerId.toString())) return
    libp2p.peerStore.delete(peerId).catch(() => {})
  }
  libp2p.addEventListener('peer:update', onUpdate)
  libp2p.addEventListener('peer:disconnect', onDisconnect)
  return () => {
    libp2p.removeEventListener('peer:update', onUpdate)
    libp2p.removeEventListener('peer:disconnect', onDisconnect)
  }
}

/** Tells whether listening failed because another process has the port. */
export const isPortTaken = (error: unknown): boolean => reasonOf(error).includes('EADDRINUSE')

/** Tells whether listening failed because no interface has the address, or has it for good. */
export const isAddressMissing = (error: unknown): boolean => reasonOf(error).includes('EADDRNOTAVAIL')
