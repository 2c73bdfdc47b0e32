import { type DecodedPacket, decode } from 'dns-packet'

/** Greatest message of DNS, whoever sends it: a zone publishes some dozens of addresses, and the answer to an UPDATE has no records. */
const most = { bytes: 16_384, records: 512 } as const
const headerBytes = 12

/**
 * Decodes a message whose length and number of records are bounded, both looked at before: each record of a few bytes may stand for a name
 * of 255, and 64 KiB of them hold the event loop for a third of a second.
 *
 * @throws RangeError, and what dns-packet throws for bytes that are no message
 */
export function decodeBounded(message: Buffer): DecodedPacket {
  if (message.byteLength < headerBytes || message.byteLength > most.bytes) {
    throw new RangeError(`a DNS message of ${message.byteLength} bytes, where at most ${most.bytes} are allowed`)
  }
  let records = 0
  for (let at = 4; at < headerBytes; at += 2) records += message.readUInt16BE(at)
  if (records > most.records) {
    throw new RangeError(`a DNS message of ${records} records, where at most ${most.records} are allowed`)
  }
  return decode(message)
}
