import {
  checkBytes,
  checkHash,
  checkKey,
  checkName,
  checkPosition,
  checkTime,
  hashBytes
} from '../../identity/checked-bytes.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { StoreManifest as StoreManifestMessage } from '../pb/registry.ts'
import { domains, type Signed } from './envelope.ts'
import { type OpenOptions, openSigned, type SignedKind, sealSigned } from './signed.ts'

/** Statement of a member about a folder that it shares. */
export interface StoreManifest {
  networkId: Uint8Array
  /** The owner. */
  publicKey: Uint8Array
  /** From 1, one more for each version of the store. */
  seq: number
  /** A label of DNS, of one store of its owner. */
  name: string
  /** CID of the content: version 1, SHA-256, a node or raw bytes. */
  root: Uint8Array
  /** Bytes of all files. What is fetched is held to it. */
  sizeBytes: number
  files: number
  issuedMs: number
  /** The owner shares it no more. */
  removed: boolean
}

const cidBytes = 36
const raw = 0x55
const dagPb = 0x70
const sha256Code = 0x12

const kind: SignedKind<StoreManifest, StoreManifestMessage> = {
  what: 'store manifest',
  domain: domains.storeManifest,
  codec: StoreManifestMessage,
  toMessage: (value) => value,
  fromMessage: ({ networkId, publicKey, seq, name, root, sizeBytes, files, issuedMs, removed }) => ({
    networkId,
    publicKey,
    seq,
    name,
    root,
    sizeBytes,
    files,
    issuedMs,
    removed
  }),
  check(value) {
    checkHash(value.networkId, 'network id of the store manifest')
    checkKey(value.publicKey, 'key of the store manifest')
    checkPosition(value.seq, 1, 'seq of the store manifest')
    checkName(value.name, 'name of the store')
    checkRoot(value.root)
    checkPosition(value.sizeBytes, 0, 'size of the store')
    checkPosition(value.files, 0, 'files of the store')
    checkTime(value.issuedMs, 'time of the store manifest')
  },
  signers: (value) => [value.publicKey]
}

function checkRoot(root: Uint8Array): void {
  checkBytes(root, cidBytes, 'root of the store')
  const [version, codec, hash, length] = root
  const isKnown = codec === raw || codec === dagPb
  if (version !== 1 || !isKnown || hash !== sha256Code || length !== hashBytes)
    throw new InvalidPayloadError('the root of the store is no CID of version 1 with a SHA-256')
}

/** @throws InvalidPayloadError when a rule is broken, InvalidEnvelopeError for another's key */
export const sealStoreManifest = (manifest: StoreManifest, key: SigningKey): Signed<StoreManifest> =>
  sealSigned(kind, manifest, key)

/** @throws InvalidEnvelopeError, InvalidPayloadError, WrongNetworkError, UnsupportedVersionError */
export const openStoreManifest = (
  bytes: Uint8Array,
  networkId: Uint8Array,
  options?: OpenOptions
): Signed<StoreManifest> => openSigned(kind, bytes, networkId, options)
