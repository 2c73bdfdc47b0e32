import { checkHash, checkPosition, checkTime, nameOfNumber } from '../../identity/checked-bytes.ts'
import { sha256 } from '../../identity/hash.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { LogEntry as LogEntryMessage, shapes } from '../pb/registry.ts'
import { requireCanonical, unknownShape } from './encoding/canonical.ts'
import { bodyKinds, type EntryBodies } from './entry-bodies.ts'
import { domains, type Signed } from './envelope.ts'
import { maxOrders } from './orders/order.ts'
import { openSigned, openSignedAsync, type SignedKind, sealSigned } from './signed.ts'

export type { Admit, AdmittedBy, EntryBodies, Publish, Renew, Revoke } from './entry-bodies.ts'

/** The numbers are on the wire. Entry 0 is the genesis envelope itself; the others are log entries. */
export const entryKinds = {
  genesis: 0,
  admit: 1,
  renew: 2,
  revoke: 3,
  rotate: 4,
  registrySet: 5,
  delegate: 6,
  authority: 7,
  publisher: 8,
  publish: 9,
  retire: 10,
  policy: 11,
  grant: 12,
  grantEnd: 13,
  change: 14,
  end: 15,
  operator: 16
} as const
export type EntryKind = Exclude<keyof typeof entryKinds, 'genesis'>

/** Place of an entry in the log. */
export interface EntryPosition {
  networkId: Uint8Array
  /** From 1: entry 0 is the genesis. */
  n: number
  /** SHA-256 of the payload of entry n - 1; the network id for entry 1. */
  prevHash: Uint8Array
  epoch: number
  timeMs: number
  /** Envelopes of the orders of the operators who caused it; none for what no person caused. */
  orders?: readonly Uint8Array[]
  /** SHA-256 of the body as it came; there when orders are. */
  bodyHash?: Uint8Array
}

/** A kind and its body. Entries of a newer version's kinds are kept and counted, without effect. */
export type EntryContent =
  | { [K in EntryKind]: { kind: K; body: EntryBodies[K] } }[EntryKind]
  | { kind: 'unknown'; kindNumber: number; body: Uint8Array }

export type LogEntry = EntryPosition & EntryContent

/** undefined: the genesis, or a kind of a newer version. */
export function entryKindOf(number: number): EntryKind | undefined {
  const kind = nameOfNumber(entryKinds, number)
  return kind === 'genesis' ? undefined : kind
}

const encodeKnown = <K extends EntryKind>(kind: K, body: EntryBodies[K]): Uint8Array => bodyKinds[kind].encode(body)

const checkKnown = <K extends EntryKind>(kind: K, body: EntryBodies[K]): void => bodyKinds[kind].check(body)

/** Number of a kind, and the body as it is encoded. */
export function encodeBody(content: EntryContent): { kind: number; body: Uint8Array } {
  if (content.kind === 'unknown') return { kind: content.kindNumber, body: content.body }
  return { kind: entryKinds[content.kind], body: encodeKnown(content.kind, content.body) }
}

function decodeBody(kindNumber: number, bytes: Uint8Array): EntryContent {
  const kind = entryKindOf(kindNumber)
  if (kind === undefined) return { kind: 'unknown', kindNumber, body: bytes }
  return bodyKinds[kind].decode(bytes)
}

function checkContent(content: EntryContent): void {
  if (content.kind !== 'unknown') {
    checkKnown(content.kind, content.body)
  } else if (content.kindNumber === entryKinds.genesis || entryKindOf(content.kindNumber) !== undefined) {
    throw new InvalidPayloadError(`an entry of kind ${content.kindNumber} is not an unknown one`)
  } else {
    requireCanonical(content.body, unknownShape, shapes, `body of the entry of kind ${content.kindNumber}`)
  }
}

function checkOrderCount(orders: readonly Uint8Array[] = []): void {
  if (orders.length > maxOrders) throw new InvalidPayloadError(`an entry has at most ${maxOrders} orders`)
  if (orders.some((bytes) => bytes.length === 0)) throw new InvalidPayloadError('an order of the entry is empty')
}

/** Only the authority entry proves its signer by itself; of all others the log tells. */
const signersOf = (entry: LogEntry): Uint8Array[] | undefined =>
  entry.kind === 'authority' ? [entry.body.authorityKey] : undefined

const kind: SignedKind<LogEntry, LogEntryMessage> = {
  what: 'log entry',
  domain: domains.logEntry,
  codec: LogEntryMessage,
  toMessage: ({ networkId, n, prevHash, epoch, timeMs, orders = [], ...content }) => ({
    networkId,
    n,
    prevHash,
    epoch,
    timeMs,
    ...encodeBody(content),
    orders: [...orders]
  }),
  fromMessage: ({ networkId, n, prevHash, epoch, timeMs, kind: kindNumber, body, orders }) => ({
    networkId,
    n,
    prevHash,
    epoch,
    timeMs,
    ...decodeBody(kindNumber, body),
    ...(orders.length > 0 && { orders, bodyHash: sha256(body) })
  }),
  check(entry) {
    checkHash(entry.networkId, 'network id of the log entry')
    checkPosition(entry.n, 1, 'position of the log entry')
    checkHash(entry.prevHash, 'hash of the entry before')
    checkPosition(entry.epoch, 0, 'epoch of the log entry')
    checkTime(entry.timeMs, 'time of the log entry')
    checkOrderCount(entry.orders)
    checkContent(entry)
  },
  signers: signersOf
}

/** @throws InvalidPayloadError when a rule is broken, InvalidEnvelopeError when the entry is larger than 4 KiB */
export const sealEntry = (entry: LogEntry, key: SigningKey): Signed<LogEntry> => sealSigned(kind, entry, key)

/**
 * Opens an entry from 1 on (entry 0 is opened by `openGenesis`). Whether it follows from the log, and whether its signer
 * may sign it, is the replica's question.
 * @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError
 */
export const openEntry = (bytes: Uint8Array, networkId: Uint8Array): Signed<LogEntry> =>
  openSigned(kind, bytes, networkId)

/** The same with the signature checked in the thread pool. */
export const openEntryAsync = async (bytes: Uint8Array, networkId: Uint8Array): Promise<Signed<LogEntry>> =>
  openSignedAsync(kind, bytes, networkId)
