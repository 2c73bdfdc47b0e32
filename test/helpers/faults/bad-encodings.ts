import { concat } from 'uint8arrays/concat'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { type Domain, domains, openEnvelope, seal } from '../../../src/registry/objects/envelope.ts'
import { type JoinRequest, NodeRecord } from '../../../src/registry/pb/registry.ts'
import { notKeys } from './not-keys.ts'

/** Bytes behind the known fields that implementations read differently, or refuse. */
export const tails: readonly (readonly [string, readonly number[]])[] = [
  ['a known field again', [0x20, 9]],
  ['field number 0', [0, 1]],
  ['field number 2^29', [0x80, 0x80, 0x80, 0x80, 0x10, 1]],
  ['a varint of 11 bytes', [0xb8, 0xbe, 0x3d, ...Array.from({ length: 10 }, () => 0x80), 1]],
  ['a varint in more bytes than it needs', [0xb8, 0xbe, 0x3d, 0x81, 0]],
  ['a group', [0xbb, 0xbe, 0x3d, 0xbc, 0xbe, 0x3d]],
  ['a wire type that does not exist', [0xbf, 0xbe, 0x3d]],
  ['fields out of order', [0xc0, 0xbe, 0x3d, 1, 0xb8, 0xbe, 0x3d, 1]],
  ['a field beyond the end', [0xba, 0xbe, 0x3d, 9, 1]]
]

type Message = typeof NodeRecord | typeof JoinRequest

/** The payload of an envelope, changed and signed again. */
export const resigned = (
  domain: Domain,
  bytes: Uint8Array,
  key: SigningKey,
  change: (payload: Uint8Array) => Uint8Array
) => seal(domain, change(openEnvelope(domain, bytes).payload), key)

export const withTail = (tail: readonly number[]) => (payload: Uint8Array) => concat([payload, Uint8Array.from(tail)])

const withFields = (codec: Message, fields: object) => (payload: Uint8Array) =>
  codec.encode({ ...codec.decode(payload), ...fields })

/** What a member may try with a record: all ways to write it, and keys and text that others do not take. */
export function badRecords(good: Uint8Array, key: SigningKey): { name: string; record: Uint8Array }[] {
  const changes: [string, (payload: Uint8Array) => Uint8Array][] = [
    ...tails.map(([name, tail]): [string, (payload: Uint8Array) => Uint8Array] => [name, withTail(tail)]),
    ...notKeys.map(({ name, publicKey }): [string, (payload: Uint8Array) => Uint8Array] => [
      `registry key ${name}`,
      withFields(NodeRecord, { registryKey: publicKey })
    ]),
    ['text that normal form C of Unicode 16 changes', withFields(NodeRecord, { tags: ['\u{105d2}\u0307'] })],
    ['a false that is left out', withTail([0x60, 0])],
    ['a code point of Unicode 15.1', withFields(NodeRecord, { tags: ['\u{2ebf0}'] })]
  ]
  return changes.map(([name, change]) => ({ name, record: resigned(domains.nodeRecord, good, key, change) }))
}
