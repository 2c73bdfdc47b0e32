import { decodeAnnounceable, encodeAnnounceable } from '../../address/multiaddr.ts'
import {
  checkCount,
  checkHash,
  checkKey,
  checkPosition,
  checkText,
  checkTime,
  maxTextChars,
  maxTimeMs,
  nameOfNumber,
  orNothing
} from '../../identity/checked-bytes.ts'
import { compareBytes } from '../../identity/hash.ts'
import { keyId } from '../../identity/key-id.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { type Role, roleOf, roles } from '../../identity/role.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { Envelope, NodeRecord as NodeRecordMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { additionsOf, checkAdditions, type RecordAdditions, withAdditions } from './record-additions.ts'
import { checkServices, type Service, serviceMessage, serviceOf } from './service.ts'
import { type OpenOptions, openSigned, openSignedAsync, type SignedKind, sealedBytes, sealSigned } from './signed.ts'

/** Answers to the question whether others can dial the node. The numbers are on the wire; a newer version's are `unknown`. */
export const reaches = { unknown: 0, direct: 1, outbound: 2 } as const
export type Reach = keyof typeof reaches

/** Statement of a node about itself. */
export interface NodeRecord extends RecordAdditions {
  networkId: Uint8Array
  publicKey: Uint8Array
  /** From 1, one more for each record of this key. */
  seq: number
  /** `/ip6/…/tcp/…`, without /p2p. */
  addrs: string[]
  /** The registry that holds its lease. */
  registryKey?: Uint8Array
  /** Roles of a newer version are left out. */
  roles: Role[]
  /** Ascending by name. */
  services: Service[]
  tags: string[]
  /** Program and version. */
  software: string
  reach: Reach
  left: boolean
  issuedMs: number
  /** Keys of members through which it is reached, best first. */
  relayKeys?: Uint8Array[]
  /** It takes no work for a while. */
  maintenance?: Maintenance
}

/** Time for which a machine takes no work, as its operator says. */
export interface Maintenance {
  sinceMs: number
  reason: string
}

export const maxAddrs = 8
export const maxTags = 16
export const maxRelays = 4
const maxRoles = 8
export const maxMaintenanceChars = maxTextChars

const kind: SignedKind<NodeRecord, NodeRecordMessage> = {
  what: 'node record',
  domain: domains.nodeRecord,
  codec: NodeRecordMessage,
  toMessage: (value) => ({
    ...value,
    addrs: value.addrs.map(encodeAnnounceable),
    roles: value.roles.map((role) => roles[role]),
    services: value.services.map(serviceMessage),
    reach: reaches[value.reach]
  }),
  fromMessage: recordOf,
  later: { append: withAdditions, read: additionsOf },
  check: checkRecord,
  signers: (value) => [value.publicKey]
}

function recordOf(message: NodeRecordMessage): NodeRecord {
  if (message.addrs.length > maxAddrs) throw new InvalidPayloadError(`the record has more than ${maxAddrs} addresses`)
  if (message.roles.length > maxRoles) throw new InvalidPayloadError(`the record has more than ${maxRoles} roles`)
  const registryKey = orNothing(message.registryKey)
  return {
    networkId: message.networkId,
    publicKey: message.publicKey,
    seq: message.seq,
    addrs: message.addrs.map(decodeAnnounceable),
    ...(registryKey !== undefined && { registryKey }),
    roles: message.roles.map(roleOf).filter((role) => role !== undefined),
    services: message.services.map(serviceOf),
    tags: message.tags,
    software: message.software,
    reach: nameOfNumber(reaches, message.reach) ?? 'unknown',
    left: message.left,
    issuedMs: message.issuedMs,
    ...(message.relayKeys.length > 0 && { relayKeys: message.relayKeys }),
    ...(message.maintenance !== undefined && { maintenance: message.maintenance })
  }
}

function checkRecord(value: NodeRecord): void {
  checkHash(value.networkId, 'network id of the record')
  checkKey(value.publicKey, 'key of the record')
  checkPosition(value.seq, 1, 'seq of the record')
  if (value.addrs.length > maxAddrs) throw new InvalidPayloadError(`the record has more than ${maxAddrs} addresses`)
  if (value.registryKey !== undefined) checkKey(value.registryKey, 'registry key of the record')
  if (value.roles.length > maxRoles) throw new InvalidPayloadError(`the record has more than ${maxRoles} roles`)
  checkServices(value.services)
  if (value.tags.length > maxTags) throw new InvalidPayloadError(`the record has more than ${maxTags} tags`)
  for (const tag of value.tags) checkText(tag, 1, maxTextChars, 'tag of the record')
  checkText(value.software, 0, maxTextChars, 'software of the record')
  checkTime(value.issuedMs, 'time of the record')
  checkRelays(value)
  if (value.maintenance !== undefined) checkMaintenance(value.maintenance)
  checkAdditions(value)
}

export function checkMaintenance({ sinceMs, reason }: Maintenance): void {
  checkCount(sinceMs, 1, maxTimeMs, 'begin of the maintenance')
  checkText(reason, 0, maxMaintenanceChars, 'reason of the maintenance')
}

function checkRelays({ relayKeys = [], publicKey }: NodeRecord): void {
  if (relayKeys.length > maxRelays) throw new InvalidPayloadError(`the record has more than ${maxRelays} relays`)
  for (const relay of relayKeys) checkKey(relay, 'relay of the record')
  const others = new Set(relayKeys.map(keyId)).add(keyId(publicKey))
  if (others.size <= relayKeys.length)
    throw new InvalidPayloadError('a relay of the record is named twice, or is the node itself')
}

/** Bytes that a record has when it is signed. */
export const recordBytes = (record: NodeRecord): number => sealedBytes(kind, record)

/** @throws InvalidPayloadError when a rule is broken, InvalidEnvelopeError for another's key or more than 1 KiB */
export const sealRecord = (record: NodeRecord, key: SigningKey): Signed<NodeRecord> => sealSigned(kind, record, key)

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openRecord = (bytes: Uint8Array, networkId: Uint8Array, options?: OpenOptions): Signed<NodeRecord> =>
  openSigned(kind, bytes, networkId, options)

/** The same with the signature checked in the thread pool. */
export const openRecordAsync = (
  bytes: Uint8Array,
  networkId: Uint8Array,
  options?: OpenOptions
): Promise<Signed<NodeRecord>> => openSignedAsync(kind, bytes, networkId, options)

/** Fields that decide between two records of one key. */
export interface RecordOrder {
  seq: number
  hash: Uint8Array
}

/** By seq, then by hash: the same on every replica, whatever arrives first. */
export function compareRecords(a: RecordOrder, b: RecordOrder): -1 | 0 | 1 {
  if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1
  return compareBytes(a.hash, b.hash)
}

/** Reads a stored record, whose signature and rules were checked before it was stored. */
export function readStoredRecord(bytes: Uint8Array): NodeRecord {
  const { payload } = Envelope.decode(bytes)
  return { ...recordOf(NodeRecordMessage.decode(payload)), ...additionsOf(payload) }
}
