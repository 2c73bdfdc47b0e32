import { pinsName } from './pins.ts'
import { tnrName } from './tnr.ts'

export interface DnsRecord {
  /** Without the final dot. */
  readonly name: string
  readonly type: 'AAAA' | 'TXT'
  readonly ttlSeconds: number
  readonly value: string
}

export interface RecordsInit {
  readonly domain: string
  /** Addresses of the registries that are alive. */
  readonly addresses: readonly string[]
  /** PeerIds to name in TXT; optional, since they only narrow. */
  readonly peerIds?: readonly string[]
  readonly ttlSeconds?: number
}

/** Short enough that a replaced registry is found within minutes. */
export const recordTtlSeconds = 300

/** The records that a network's domain needs, in a fixed order. */
export const wantedRecords = (init: RecordsInit): DnsRecord[] => {
  const ttlSeconds = init.ttlSeconds ?? recordTtlSeconds
  const addresses = init.addresses.map((value) => ({
    name: tnrName(init.domain),
    type: 'AAAA' as const,
    ttlSeconds,
    value
  }))
  const pins = (init.peerIds ?? []).map((peerId) => ({
    name: pinsName(init.domain),
    type: 'TXT' as const,
    ttlSeconds,
    value: `dnsaddr=/dns6/${tnrName(init.domain)}/tcp/8000/p2p/${peerId}`
  }))
  return [...addresses, ...pins]
}

/** A line of a zone file. */
export const zoneLine = ({ name, type, ttlSeconds, value }: DnsRecord): string =>
  `${name}. ${ttlSeconds} IN ${type} ${type === 'TXT' ? JSON.stringify(value) : value}`

/** The question that shows what the world sees. */
export const digLine = (domain: string): string => `dig +noall +answer AAAA ${tnrName(domain)}`
