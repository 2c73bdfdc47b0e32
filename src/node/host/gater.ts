import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { isRelayed, parseCircuit } from '../../address/circuit.ts'
import { isPlainIp6, parseLinkAddr } from '../../address/multiaddr.ts'
import { isPublicKey } from '../../identity/ed25519.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import { type Logger, silentLogger } from '../../runtime/clock-and-logger.ts'
import { Pins } from './dial-pins.ts'
import { HandshakeBytes } from './handshake-bytes.ts'
import { Inbound, type InboundCounts, type InboundInit } from './inbound-limits.ts'
import { RelayedInbound } from './relayed-inbound.ts'

export interface GaterInit extends InboundInit {
  /** Tells whether the key is revoked; PeerId as text. */
  readonly isRevoked?: (peerId: string) => boolean
  /** Connections through relays that others may have open to this node. */
  readonly mostRelayed?: number
  /** A connection in either direction has passed all but the last step. */
  readonly onUpgraded?: (peerId: PeerId, connection: MultiaddrConnection) => void
  readonly logger?: Logger
}

/** A revoked key that dials is let in so often to be told by hello; beyond it, it is hung up on. */
const toldRevoked = { count: 10, perMs: 60_000 }

const isKey = (peerId: PeerId): boolean => peerId.type === 'Ed25519' && isPublicKey(peerId.publicKey.raw)

/**
 * The gate of all connections. Plain IPv6 with TCP, and circuits over such connections, are the only way in and out; strangers are
 * counted per /64 before Noise; Ed25519 is the only key type; a revoked key is not dialled, and let in to be told so alone; of one
 * key only so many connections stay; a dial with a pin ends after Noise when the key is another.
 */
export class Gater implements ConnectionGater {
  readonly pins = new Pins()
  readonly #inbound: Inbound
  readonly #relayed: RelayedInbound
  readonly #handshakes: HandshakeBytes
  readonly #isRevoked: (peerId: string) => boolean
  readonly #told = new Gcra(toldRevoked)
  readonly #onUpgraded: NonNullable<GaterInit['onUpgraded']>
  readonly #logger: Logger

  constructor(init: GaterInit) {
    this.#onUpgraded = init.onUpgraded ?? (() => {})
    this.#inbound = new Inbound(init)
    this.#relayed = new RelayedInbound(init.mostRelayed ?? 0, init.culprits)
    this.#handshakes = new HandshakeBytes(init.culprits)
    this.#isRevoked = init.isRevoked ?? (() => false)
    this.#logger = init.logger ?? silentLogger
  }

  /** For metrics and status. */
  get inbound(): InboundCounts {
    return this.#inbound.counts
  }

  denyDialPeer(peerId: PeerId): boolean {
    return !isKey(peerId) || this.#isRevoked(peerId.toString())
  }

  /** An address of one link is dialled for whoever has heard of it there, and is never remembered. */
  denyDialMultiaddr(address: Multiaddr): boolean {
    if (isDialable(address) || parseCircuit(address) !== undefined) return false
    return parseLinkAddr(address) === undefined || !this.pins.isExpected(address.toString())
  }

  /** false: the address is not even remembered. libp2p calls this one without `this`. */
  filterMultiaddrForPeer(_peerId: PeerId, address: Multiaddr): boolean {
    return isDialable(address)
  }

  denyInboundConnection(connection: MultiaddrConnection): boolean {
    const isCircuit = isRelayed(connection)
    const why = isCircuit ? this.#relayed.refuse(connection) : this.#inbound.refuse(connection)
    if (why !== undefined) this.#log(connection, `refused a connection before its handshake: ${why}`)
    // Relays let nobody in whom they do not know as a member.
    else if (isCircuit) this.#handshakes.watch(connection)
    else this.#handshakes.watch(connection, (go) => this.#inbound.wait(connection, go))
    return why !== undefined
  }

  denyOutboundConnection(peerId: PeerId): boolean {
    return this.denyDialPeer(peerId)
  }

  /** Lets a revoked key through Noise: what it gets beyond is up to the connection's trust: the status that says so. */
  denyInboundEncryptedConnection(peerId: PeerId, connection: MultiaddrConnection): boolean {
    const id = peerId.toString()
    if (isKey(peerId) && this.#isRevoked(id) && this.#told.take(id) === 0) return false
    return this.#isRefusedKey(peerId, connection)
  }

  denyOutboundEncryptedConnection(peerId: PeerId, connection: MultiaddrConnection): boolean {
    if (this.#isRefusedKey(peerId, connection)) return true
    if (this.pins.accept(connection.remoteAddr.toString(), peerId.toString())) return false
    this.#log(connection, `closed a connection after Noise: its key ${peerId.toString()} is not the pinned one`)
    return true
  }

  denyInboundUpgradedConnection(peerId: PeerId, connection: MultiaddrConnection): boolean {
    this.#handshakes.finished(connection)
    // Nobody would say that one is gone which has ended meanwhile.
    if (connection.status !== 'open') return false
    this.#inbound.finished(connection, peerId.toString())
    this.#onUpgraded(peerId, connection)
    return false
  }

  denyOutboundUpgradedConnection(peerId: PeerId, connection: MultiaddrConnection): boolean {
    if (connection.status === 'open') this.#onUpgraded(peerId, connection)
    return false
  }

  #isRefusedKey(peerId: PeerId, connection: MultiaddrConnection): boolean {
    if (!this.denyDialPeer(peerId)) return false
    const why = isKey(peerId)
      ? 'is revoked'
      : `is of type ${peerId.type}, or of small order: only keys of Ed25519 are let in`
    this.#log(connection, `closed a connection after Noise: its key ${peerId.toString()} ${why}`)
    return true
  }

  /** Debug: an attacker chooses how often. The numbers are in `inbound`. */
  #log(connection: MultiaddrConnection, message: string): void {
    this.#logger.debug({ ipv6_addr: connection.remoteAddr.toString() }, message)
  }
}

const isDialable = (address: Multiaddr): boolean => {
  const text = address.toString()
  return isPlainIp6(text) && /\/tcp\/\d+/.test(text)
}
