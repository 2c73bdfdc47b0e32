import type { Connection } from '@libp2p/interface'
import { multiaddr as parseMultiaddr } from '@multiformats/multiaddr'
import { isRelayed } from '../../address/circuit.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { dialAddress } from '../../address/spelling.ts'
import { peerIdText, publicKeyOfPeerId } from '../../identity/keys.ts'
import { isRegistryRole } from '../../identity/role.ts'
import { closeConnection } from '../../protocols/engine/libraries/close-connection.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { within } from '../../runtime/abort.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { InvalidPayloadError, UnavailableError } from '../../runtime/errors.ts'
import { isDecided } from '../../runtime/failures.ts'
import type { ConnectView, DisconnectView } from '../api/views.ts'
import { waitForProof } from '../bootstrap/proof-wait.ts'
import { dialText, failureText, onlyDialText } from '../errors.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import type { Connector } from '../peers/connector.ts'
import { connectThrough, relaysOf } from '../relay/through-relay.ts'
import { byEnd, findMember, keyOfPeerId, noSuchMember, requireMember } from '../views/peer-names.ts'
import { refOf, rttUs, withPeer } from '../views/refs.ts'
import { requireNetwork } from './require.ts'

const retryMs = 5_000
/** Time for a direct dial to a member that names relays. */
const directMs = 2_000

/**
 * A proven connection to a member, by name, PeerId or the end of one; dials where there is none.
 * @throws NotFoundError, UnavailableError
 */
export async function connectionTo(node: NodeContext, peer: string, signal: AbortSignal): Promise<Connection> {
  return await connectionToMember(node, memberToReach(node, peer).member, signal)
}

/** Another member, by name, PeerId or the end of one. @throws NotFoundError, AmbiguousNameError, InvalidPayloadError for this node itself */
export function memberToReach(node: NodeContext, peer: string): { network: NetworkNode; member: Member } {
  const network = requireNetwork(node)
  const member = requireMember(network.registry, peer)
  if (Buffer.compare(member.publicKey, node.key.publicKey) === 0) {
    throw new InvalidPayloadError(`${member.name} is this node itself: there is no connection to it`)
  }
  return { network, member }
}

/** A live connection that a member has proved, dialled when there is none. @throws UnavailableError saying what was tried */
export async function connectionToMember(node: NodeContext, member: Member, signal: AbortSignal): Promise<Connection> {
  const network = requireNetwork(node)
  const open = openTo(network, member.publicKey)
  if (open !== undefined) return open
  const { peers, registry, trust, limits } = network
  if (peers === undefined) throw new UnavailableError('this process starts: it dials nobody yet', retryMs)
  const relays = relaysOf(network, member.publicKey, node.key.publicKey)
  let failure: unknown
  try {
    // A firewall that drops what comes would take all the time that there is for both.
    const inTime = relays.length === 0 ? signal : within(directMs, signal)
    return await connectDirectly(node, { network, peers }, member, inTime)
  } catch (error) {
    signal.throwIfAborted()
    failure = error
  }
  try {
    if (relays.length > 0) return await connectThrough({ registry, trust, limits, peers }, member, { relays, signal })
  } catch (error) {
    signal.throwIfAborted()
    failure = new UnavailableError(`${reasonOf(failure)}; ${reasonOf(error)}`, retryMs)
  }
  // It may have dialled us meanwhile.
  const late = openTo(network, member.publicKey)
  if (late !== undefined) return late
  throw failure
}

const connectDirectly = async (
  node: NodeContext,
  { network, peers }: { network: NetworkNode; peers: Connector },
  member: Member,
  signal: AbortSignal
): Promise<Connection> => {
  const addrs = await addressesOf(node, network, member, signal)
  const { publicKey, role, name } = member
  try {
    return await peers.connect({ publicKey, addrs, isRegistry: isRegistryRole(role) }, signal)
  } catch (error) {
    const late = openTo(network, publicKey)
    if (late !== undefined) return late
    throw new UnavailableError(
      `${name} cannot be reached at ${addrs.join(', ')}: ${addrs.length > 1 ? dialText(error) : onlyDialText(error)}`,
      retryMs
    )
  }
}

/** A direct one, if there is one. */
const openTo = ({ trust }: NetworkNode, publicKey: Uint8Array): Connection | undefined => {
  let relayed: Connection | undefined
  for (const { connection, member } of trust.members()) {
    if (connection.status !== 'open' || Buffer.compare(member.publicKey, publicKey) !== 0) continue
    if (!isRelayed(connection)) return connection
    relayed = connection
  }
  return relayed
}

/** Those of the first place that knows any. */
const addressesOf = async (
  { resolvers }: NodeContext,
  { registry }: NetworkNode,
  { publicKey, name }: Member,
  signal: AbortSignal
): Promise<string[]> => {
  if (registry.records.read(publicKey)?.reach === 'outbound') {
    throw new UnavailableError(
      `${name} cannot be dialled: it is only reached over the connections it opens itself`,
      retryMs
    )
  }
  for await (const found of resolvers.resolve(publicKey, signal)) {
    if (found.length > 0) return found.map(({ multiaddr }) => multiaddr)
  }
  throw new UnavailableError(`no address of ${name} is known: it has shown no record yet`, retryMs)
}

/**
 * Dials a multiaddr, with or without /p2p, and waits for what the other side proves.
 * @throws InvalidPayloadError for no plain IPv6 address, WrongNetworkError, UnavailableError
 */
export async function connectTo(node: NodeContext, given: string, signal: AbortSignal): Promise<ConnectView> {
  const text = checkAddress(given, node.peerId)
  const network = node.network ?? (await foundAt(node, text, signal))
  const connection = await dial(network, text, signal)
  return connectedView(network, connection, await proven(network, connection, signal))
}

/** Connects to a member where there is no connection to it, at the addresses that are known. @throws NotFoundError, UnavailableError */
export async function connectToMember(node: NodeContext, peer: string, signal: AbortSignal): Promise<ConnectView> {
  const { network } = memberToReach(node, peer)
  return connectedView(network, await connectionTo(node, peer, signal), true)
}

const connectedView = (network: NetworkNode, connection: Connection, member: boolean): ConnectView => {
  const { registry, trust } = network
  const publicKey = publicKeyOfPeerId(connection.remotePeer)
  const address = withPeer(connection.remoteAddr.toString(), connection.remotePeer.toString())
  if (member && !isRelayed(connection)) registry.liveness.notes.connected(publicKey, address)
  const named = trust.memberOf(connection)
  return {
    peerId: peerIdText(publicKey),
    name: named?.name ?? refOf(registry, publicKey).name,
    address,
    direction: connection.direction === 'inbound' ? 'in' : 'out',
    member,
    rttUs: rttUs(network.rttMs(peerIdText(publicKey)))
  }
}

/** Time for a node that looks for its network to find it at an address that it was given. */
const foundMs = 8_000

/** The network, which this node looks for at that address first. @throws UnavailableError when it is not found there in time */
const foundAt = async (node: NodeContext, text: string, signal: AbortSignal): Promise<NetworkNode> => {
  node.resolvers.known.name(text)
  node.retry()
  const late = within(foundMs, signal)
  try {
    await node.until(() => node.housekeeping !== undefined, late)
  } catch (error) {
    signal.throwIfAborted()
    if (!late.aborted) throw error
  }
  if (node.network !== undefined) return node.network
  const [last] = node.discoveryFailures
  const why = last === undefined ? '' : `: ${failureText(last.address, last.error)}`
  throw new UnavailableError(
    `the network was not found at ${text} yet${why}; it is tried there first from now on`,
    retryMs
  )
}

/** The address in its one spelling. */
const checkAddress = (text: string, self: string): string => {
  let address = ''
  try {
    address = dialAddress(text)
  } catch (error) {
    throw new InvalidPayloadError(reasonOf(error))
  }
  if (parseAddr(address)?.peerId === self) throw new InvalidPayloadError('that is this node itself')
  return address
}

const dial = async ({ host }: NetworkNode, text: string, signal: AbortSignal): Promise<Connection> => {
  try {
    return await host.dial(parseMultiaddr(text), { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw new UnavailableError(`${text} does not answer: ${onlyDialText(error)}`, retryMs)
  }
}

/** false: it dialled us and is no member; its connection lasts for what strangers get. */
const proven = async (network: NetworkNode, connection: Connection, signal: AbortSignal): Promise<boolean> => {
  const { trust, host } = network
  if (connection.direction === 'inbound') return await trust.settled(connection)
  try {
    await waitForProof(host.services.hello, trust, connection, signal)
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (isDecided(error)) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new UnavailableError(`it was reached, but has not proved that it is of this network: ${why}`, retryMs)
  }
}

/**
 * Closes all connections to a peer, a member's or a stranger's.
 * @throws NotFoundError, AmbiguousNameError
 */
export async function disconnectFrom(network: NetworkNode, text: string): Promise<DisconnectView> {
  const { host, registry } = network
  const connected = host.getPeers().map((peer) => ({ publicKey: publicKeyOfPeerId(peer) }))
  const publicKey = findMember(registry, text)?.publicKey ?? keyOfPeerId(text) ?? byEnd(connected, text)?.publicKey
  if (publicKey === undefined) throw noSuchMember(registry, text)
  const ref = refOf(registry, publicKey)
  const connections = host.getConnections().filter(({ remotePeer }) => remotePeer.toString() === ref.peerId)
  await Promise.all(connections.map(closeConnection))
  return { ...ref, closed: connections.length }
}
