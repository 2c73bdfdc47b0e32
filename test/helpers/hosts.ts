import { noise } from '@chainsafe/libp2p-noise'
import { type YamuxMuxerInit, yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import type { ServiceFactoryMap } from 'libp2p'
import { createLibp2p } from 'libp2p'
import { startMemoryHost } from './hosts/memory-host.ts'

export interface HostInit {
  privateKey?: PrivateKey
  /** False: a host that never learns what others speak. */
  identifies?: boolean
  /** Windows and buffers of streams. Default: those of yamux. */
  muxer?: YamuxMuxerInit
}

let areInMemory = false

/** Lets the hosts of this test file speak in memory, without sockets: enough where a protocol is tested, and quick. */
export const withoutSockets = (): void => {
  areInMemory = true
}

/** For a file whose hosts need all of libp2p: another one in the same worker may have done without. */
export const withSockets = (): void => {
  areInMemory = false
}

/** A started libp2p host on [::1] and a free port, with identify and the given services. */
export async function startHost<S extends ServiceMap>(
  services: ServiceFactoryMap<S>,
  init: HostInit = {}
): Promise<Libp2p<S & { identify?: unknown }>> {
  if (areInMemory) return await startMemoryHost(services, init)
  const { privateKey, identifies = true, muxer = {} } = init
  return createLibp2p({
    privateKey: privateKey ?? (await generateKeyPair('Ed25519')),
    addresses: { listen: ['/ip6/::1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(muxer)],
    connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 256, reconnectRetries: 0 },
    connectionMonitor: { enabled: false },
    peerStore: { maxAddressAge: Number.POSITIVE_INFINITY, maxPeerAge: Number.POSITIVE_INFINITY },
    services: identifies ? { ...services, identify: identify() } : services
  })
}

/** One that speaks nothing but identify. */
export const startPlainHost = (init: HostInit = {}): Promise<Libp2p> => startHost({}, init)

/** Connects `from` to `to`; resolves with the connection as `from` has it. */
export async function connect(from: Libp2p, to: Libp2p): Promise<Connection> {
  const [address] = to.getMultiaddrs()
  if (address === undefined) throw new Error('the host listens on no address')
  return from.dial(address)
}

/** The connection of `host` with `other`, as `host` has it. */
export async function connectionWith(host: Libp2p, other: Libp2p): Promise<Connection> {
  const find = () => host.getConnections(other.peerId)[0]
  const found = find()
  if (found !== undefined) return found
  const { promise, resolve } = Promise.withResolvers<Connection>()
  const onOpen = () => {
    const connection = find()
    if (connection === undefined) return
    host.removeEventListener('connection:open', onOpen)
    resolve(connection)
  }
  host.addEventListener('connection:open', onOpen)
  onOpen()
  return promise
}
