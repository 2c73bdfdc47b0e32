import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { hashBytes } from '../identity/checked-bytes.ts'
import { InvalidBlockError } from './errors.ts'

/** Ways in which the bytes of a block are read: as they are, or as a node with links. */
const codecs = { raw: 0x55, node: 0x70 } as const
const sha256Code = 0x12

/** Name of a block: how it is read, and the SHA-256 of its bytes. */
export interface Link {
  readonly codec: keyof typeof codecs
  readonly digest: Uint8Array
}

export const cidBytes = hashBytes + 4

/** A CID of version 1, binary. */
export function encodeLink({ codec, digest }: Link): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(cidBytes)
  bytes.set([1, codecs[codec], sha256Code, hashBytes])
  bytes.set(digest, 4)
  return bytes
}

/** @throws InvalidBlockError when it is a CID of another kind, or none */
export function decodeLink(bytes: Uint8Array): Link {
  const [version, code, hash, length] = bytes
  const codec = code === codecs.raw ? 'raw' : code === codecs.node ? 'node' : undefined
  if (bytes.length !== cidBytes || version !== 1 || codec === undefined || hash !== sha256Code || length !== hashBytes)
    throw new InvalidBlockError('a link is no CID of version 1 with a SHA-256')
  return { codec, digest: bytes.slice(4) }
}

/** The CID as other tools print it: base32, lower case. */
export const linkText = ({ codec, digest }: Link): string =>
  CID.createV1(codecs[codec], create(sha256Code, digest)).toString()
