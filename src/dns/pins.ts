import { isPeerIdText } from '../identity/keys.ts'
import { ask, type DnsFailure, type DnsOptions } from './ask.ts'

export type PinsAnswer =
  | { readonly kind: 'found'; readonly peerIds: readonly string[]; readonly rejected: readonly string[] }
  | (DnsFailure & { readonly rejected?: readonly string[] })

const maxRecords = 64

/** The name of the TXT records that name the registries' keys. */
export const pinsName = (domain: string): string => `_dnsaddr.tnr.${domain}`

/** The PeerId that a `dnsaddr=/…/p2p/PEER` text stands for: the last one, since a relay's stands before it. */
export const lastPeerId = (text: string): string | undefined => {
  const match = /^dnsaddr=(\/.*)$/.exec(text)
  const parts = match?.[1]?.split('/') ?? []
  const peerId = parts.at(-2) === 'p2p' ? parts.at(-1) : undefined
  return peerId !== undefined && isPeerIdText(peerId) ? peerId : undefined
}

/** PeerIds from `_dnsaddr.tnr.<domain>`. They are no pins of their own: they narrow the choice among those we have. */
export const lookupPins = async (domain: string, options: DnsOptions = {}): Promise<PinsAnswer> => {
  const name = pinsName(domain)
  const result = await ask(name, async (resolver) => await resolver.resolveTxt(name), options)
  if (!('answer' in result)) return result
  const texts = result.answer.map((parts) => parts.join('')).slice(0, maxRecords)
  const peerIds = new Set(texts.map(lastPeerId).filter((peerId) => peerId !== undefined))
  const rejected = texts.filter((text) => lastPeerId(text) === undefined)
  if (peerIds.size > 0) return { kind: 'found', peerIds: [...peerIds], rejected }
  return { kind: 'bad-answer', message: `${name}: no record ends with /p2p/PEERID of an Ed25519 key`, rejected }
}

/** Our pins, without those that DNS does not name. DNS can take pins away, never add one; naming none of ours is ignored. */
export const narrowPins = (pins: readonly string[], named: readonly string[]): string[] => {
  const both = pins.filter((peerId) => named.includes(peerId))
  return both.length > 0 ? both : [...pins]
}
