import { parseCircuit } from '../../address/circuit.ts'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import { networkFingerprint, networkIdText } from '../../identity/network-id.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Genesis } from '../../registry/objects/genesis.ts'
import type { Registry } from '../../registry/registry.ts'
import { type Stamp, stamp } from '../api/stamp.ts'
import type { NetworkRef, PeerRef, ViewOrigin } from '../api/views.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'

/** The part of a node that says who it is, before and after its network was found. */
export interface Self {
  readonly key: { readonly publicKey: Uint8Array }
  readonly config: { readonly name: string; readonly role: string }
  readonly network: NetworkNode | undefined
}

export const refOf = (registry: Registry, publicKey: Uint8Array): PeerRef => ({
  peerId: peerIdText(publicKey),
  name: registry.replica.state.member(publicKey)?.name ?? null
})

/** This node: by its name in the log, and before it has one by that of its configuration. */
export const selfRef = ({ key, config, network }: Self): PeerRef => ({
  peerId: peerIdText(key.publicKey),
  name: network?.registry.replica.state.member(key.publicKey)?.name ?? config.name
})

/** The member through which a connection goes; null: it is direct. */
export const relayOf = (registry: Registry, { remoteAddr }: { remoteAddr: { toString(): string } }): PeerRef | null => {
  const relay = parseCircuit(remoteAddr)?.relay
  return relay === undefined ? null : refOf(registry, publicKeyOf(relay))
}

export const networkRef = ({ hash, value }: Signed<Genesis>): NetworkRef => ({
  id: networkIdText(hash),
  name: value.name,
  domain: value.domain,
  fingerprint: networkFingerprint(hash)
})

/** Greatest age of what is shown: the one who writes the log is never behind it. null: nothing was verified yet. */
export const viewAgeMs = (network: NetworkNode): number | null => {
  const { registry } = network
  if (registry.root !== undefined && registry.root.refusal === undefined) return 0
  if (registry.replica.checkpoint === undefined) return null
  return Math.min(registry.replicaAgeMs(), network.sync?.source?.ageMs ?? Number.POSITIVE_INFINITY)
}

const originOf = (node: Self): ViewOrigin => {
  const { network } = node
  if (network === undefined) return { ...selfRef(node), epoch: 0, head: 0, ageMs: null }
  const { epoch, n } = network.registry.replica.head
  return { ...selfRef(node), epoch, head: n, ageMs: wholeMs(viewAgeMs(network)) }
}

/** Stamp of what a process says now. The store of one that stops may be closed already. */
export const stampNow = ({ key, config, network, isStopping, clock }: NodeContext): Stamp =>
  stamp(originOf({ key, config, network: isStopping ? undefined : network }), clock.now())

/** Whole ms, as answers have them: the clocks of ages have fractions. null: not known. */
export const wholeMs = (ms: number | null | undefined): number | null =>
  ms === null || ms === undefined ? null : Math.max(0, Math.round(ms))

/** A measured round trip as answers have it. */
export const rttUs = (ms: number | null | undefined): number | null =>
  ms === null || ms === undefined ? null : Math.max(0, Math.round(ms * 1000))

/** A multiaddr of that peer with its `/p2p/PEERID`, as answers have it. */
export const withPeer = (multiaddr: string, peerId: string): string =>
  multiaddr.endsWith(`/p2p/${peerId}`) ? multiaddr : `${multiaddr}/p2p/${peerId}`
