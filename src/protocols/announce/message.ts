import { concat } from 'uint8arrays/concat'
import { cosignatureBytes } from '../../registry/witness/cosignature.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'

/** First byte of a gossip message. What follows is one signed envelope, exactly as it is stored; of kind 3 the hash of a checkpoint's payload and cosignatures of it. */
export const announcementKinds = { record: 1, head: 2, cosignatures: 3 } as const
export type AnnouncementKind = keyof typeof announcementKinds

export interface Announcement {
  kind: AnnouncementKind
  envelope: Uint8Array
}

const byNumber = new Map<number, AnnouncementKind>([
  [announcementKinds.record, 'record'],
  [announcementKinds.head, 'head'],
  [announcementKinds.cosignatures, 'cosignatures']
])

export function encodeAnnouncement({ kind, envelope }: Announcement): Uint8Array {
  const bytes = new Uint8Array(envelope.length + 1)
  bytes[0] = announcementKinds[kind]
  bytes.set(envelope, 1)
  return bytes
}

/**
 * undefined: a kind of a newer version, which is no fault of the sender.
 * @throws InvalidPayloadError empty
 */
export function decodeAnnouncement(bytes: Uint8Array): Announcement | undefined {
  const number = bytes[0]
  if (number === undefined || bytes.length < 2) throw new InvalidPayloadError('An announcement without content.')
  const kind = byNumber.get(number)
  return kind === undefined ? undefined : { kind, envelope: bytes.subarray(1) }
}

const hashBytes = 32

/** Words of witnesses about a checkpoint that is known by its hash. */
export interface CosignedHash {
  hash: Uint8Array
  cosignatures: Uint8Array[]
}

export const encodeCosigned = ({ hash, cosignatures }: CosignedHash): Uint8Array => concat([hash, ...cosignatures])

/** @throws InvalidPayloadError for anything but a hash and whole cosignatures */
export function decodeCosigned(bytes: Uint8Array): CosignedHash {
  const count = (bytes.length - hashBytes) / cosignatureBytes
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidPayloadError('An announcement without whole cosignatures.')
  const from = (index: number): number => hashBytes + index * cosignatureBytes
  const cosignatures = Array.from({ length: count }, (_, index) => bytes.slice(from(index), from(index + 1)))
  return { hash: bytes.slice(0, hashBytes), cosignatures }
}
