import { InvalidPayloadError } from '../../runtime/errors.ts'

/** First byte of a gossip message. What follows is one signed envelope, exactly as it is stored. */
export const announcementKinds = { record: 1, head: 2 } as const
export type AnnouncementKind = keyof typeof announcementKinds

export interface Announcement {
  kind: AnnouncementKind
  envelope: Uint8Array
}

const byNumber = new Map<number, AnnouncementKind>([
  [announcementKinds.record, 'record'],
  [announcementKinds.head, 'head']
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
