import { peerIdText } from '../../identity/keys.ts'
import { openRecord } from '../../registry/objects/record.ts'
import type { KnownCandidate } from '../resolve/resolver.ts'

/** Registries that one tells of: each is dialled when the others are gone. */
const maxTold = 8
/** Addresses of one of them. */
const maxAddrs = 2

/**
 * Addresses of registries whose records came from one at which the join of this node waits. That they are registries nothing proves here: each shows it when it
 * is dialled.
 */
export const candidatesIn = (records: readonly Uint8Array[], networkId: Uint8Array): KnownCandidate[] =>
  records.slice(0, maxTold).flatMap((bytes) => {
    try {
      const { publicKey, addrs } = openRecord(bytes, networkId).value
      const peerIds = [peerIdText(publicKey)]
      return addrs.slice(0, maxAddrs).map((multiaddr) => ({ multiaddr, peerIds, source: 'registry' as const }))
    } catch {
      return []
    }
  })
