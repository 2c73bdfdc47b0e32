import type { PeerData, PeerId, PeerStore } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { ProtocolLimits } from './limits.ts'

type Limits = ProtocolLimits['peers']
type Address = NonNullable<PeerData['addresses']>[number]

/**
 * Bounds what libp2p remembers of others: identify and the DHT merge whatever they are told, and each merge walks over all that is there.
 */
export function boundPeers(store: PeerStore, self: PeerId, limits: Limits): void {
  const patch = store.patch.bind(store)
  const merge = store.merge.bind(store)
  const save = store.save.bind(store)
  const within = (peerId: PeerId, data: PeerData): PeerData => (self.equals(peerId) ? data : bounded(data, limits))
  store.save = (peerId, data, options) => save(peerId, within(peerId, data), options)
  store.patch = (peerId, data, options) => patch(peerId, within(peerId, data), options)
  store.merge = async (peerId, data, options) => {
    const { addresses = [], multiaddrs = [], ...others } = within(peerId, data)
    const told = [...addresses, ...multiaddrs.map((multiaddr) => ({ multiaddr, isCertified: false }))]
    if (told.length > 0) {
      const known = await knownAddresses(store, peerId)
      await patch(peerId, { addresses: newest([...told, ...known], limits) }, options)
    }
    return await merge(peerId, others, options)
  }
}

/** The first ones: what was told last stands before what was known. */
const newest = (addresses: readonly Address[], limits: Limits): Address[] => {
  const different = new Map(addresses.map((address) => [address.multiaddr.toString(), address]))
  return [...different.values()].slice(0, limits.addresses)
}

const knownAddresses = async (store: PeerStore, peerId: PeerId): Promise<Address[]> =>
  (await store.get(peerId).catch(() => undefined))?.addresses ?? []

const bounded = (data: PeerData, limits: Limits): PeerData => {
  const { peerRecordEnvelope, ...rest } = data
  return {
    ...rest,
    ...(data.addresses && { addresses: few(data.addresses, ({ multiaddr }) => multiaddr, limits) }),
    ...(data.multiaddrs && { multiaddrs: few(data.multiaddrs, (multiaddr) => multiaddr, limits) }),
    ...(data.protocols && {
      protocols: data.protocols.filter(({ length }) => length <= limits.textBytes).slice(0, limits.protocols)
    }),
    ...(data.metadata && { metadata: boundedMetadata(data.metadata, limits) }),
    ...(peerRecordEnvelope && peerRecordEnvelope.byteLength <= limits.envelopeBytes && { peerRecordEnvelope })
  }
}

const few = <T>(all: readonly T[], addressOf: (one: T) => Multiaddr, { addresses, addressBytes }: Limits): T[] =>
  all.filter((one) => addressOf(one).bytes.byteLength <= addressBytes).slice(0, addresses)

const boundedMetadata = (metadata: NonNullable<PeerData['metadata']>, { textBytes }: Limits) => {
  const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata)
  return new Map(entries.map(([key, value]) => [key, value?.subarray(0, textBytes)]))
}
