import { isPeerIdText } from '../identity/keys.ts'
import type { AddrText } from './multiaddr.ts'

/** A way to a peer through another one. */
export interface Circuit {
  /** PeerId of the relay. */
  readonly relay: string
  readonly peerId: string
}

/** `/p2p/RELAY/p2p-circuit`: with the PeerId of whoever is reached behind it, an address that can be dialled. */
export const circuitVia = (relay: string): string => `/p2p/${relay}/p2p-circuit`

/**
 * undefined unless it is exactly `/p2p/RELAY/p2p-circuit/p2p/PEER`. It has no IP address on purpose: a relay is somebody to whom there is a
 * connection already, so no record can make a node dial a host.
 */
export function parseCircuit(multiaddr: AddrText): Circuit | undefined {
  const [empty, p2p, relay = '', circuit, behind, peerId = '', ...rest] = multiaddr.toString().split('/')
  const isShaped = empty === '' && p2p === 'p2p' && circuit === 'p2p-circuit' && behind === 'p2p' && rest.length === 0
  if (!isShaped || relay === peerId || !isPeerIdText(relay) || !isPeerIdText(peerId)) return undefined
  return { relay, peerId }
}

/** True for a connection that goes through another member. */
export const isRelayed = ({ remoteAddr }: { readonly remoteAddr: AddrText }): boolean =>
  parseCircuit(remoteAddr) !== undefined
