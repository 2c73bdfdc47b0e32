import { equals } from 'uint8arrays/equals'
import { sha256 } from '../../identity/hash.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { InvalidPayloadError, PublishRefusedError } from '../../runtime/errors.ts'
import { encodeBody, entryKinds, type Publish } from '../objects/entry.ts'
import { bodyKinds, maxDocumentBytes } from '../objects/entry-bodies.ts'
import { openOrder, sealOrder } from '../objects/orders/order.ts'

/** A document on its way to the root: the entry that its publisher wants, its order for just this, and the bytes. */
export interface SignedPublish {
  /** Body of the publish entry. */
  body: Uint8Array
  /** Envelope of the order, by the key of the publisher. */
  order: Uint8Array
  bytes: Uint8Array
}

/** A document that its publisher has signed, and whose bytes are those of its entry. */
export interface OpenedPublish extends SignedPublish {
  publish: Publish
  /** When the publisher signed it. */
  timeMs: number
}

interface Place {
  networkId: Uint8Array
  /** A head that the publisher knew. */
  epoch: number
  seenN: number
  timeMs: number
}

/** Signs a document with the key of its publisher. @throws InvalidPayloadError for an id or type that cannot be */
export function sealPublish(publish: Publish, bytes: Uint8Array, place: Place, key: SigningKey): SignedPublish {
  bodyKinds.publish.check(publish)
  const { kind, body } = encodeBody({ kind: 'publish', body: publish })
  return { body, order: sealOrder({ ...place, kind, digest: sha256(body) }, key).bytes, bytes }
}

/**
 * Opens what a publisher has signed. Whether it may publish the state tells.
 * @throws PublishRefusedError, InvalidPayloadError, InvalidEnvelopeError, WrongNetworkError, UnsupportedVersionError
 */
export function openPublish(signed: SignedPublish, networkId: Uint8Array): OpenedPublish {
  const { body, order, bytes } = signed
  const { value, signer } = openOrder(order, networkId)
  if (value.kind !== entryKinds.publish || !equals(value.digest, sha256(body))) {
    throw new InvalidPayloadError('the order is for something else than the document that came with it')
  }
  const publish = readPublish(body)
  if (!equals(publish.publisherKey, signer)) {
    throw new PublishRefusedError('the document names another publisher than the one who signed')
  }
  requireBytes(publish, bytes)
  return { ...signed, publish, timeMs: value.timeMs }
}

/** The publish entry of a body that its publisher has signed. @throws InvalidPayloadError */
export function readPublish(body: Uint8Array): Publish {
  const publish = bodyKinds.publish.decode(body).body
  bodyKinds.publish.check(publish)
  // With fields of a newer version it could not be written again as it was signed.
  if (equals(encodeBody({ kind: 'publish', body: publish }).body, body)) return publish
  throw new InvalidPayloadError('the document is of a newer version: update this program')
}

/** @throws PublishRefusedError when these are not the bytes of the entry */
function requireBytes({ id, digest, sizeBytes }: Publish, bytes: Uint8Array): void {
  if (bytes.length === sizeBytes && equals(sha256(bytes), digest)) return
  throw new PublishRefusedError(`the bytes that came are not those of ${id}: its digest is another one`)
}

/** The entry of bytes that are published as the next version. @throws PublishRefusedError for too many */
export function publishOf(
  {
    id,
    version,
    mediaType,
    publisherKey
  }: { id: string; version: number; mediaType: string; publisherKey: Uint8Array },
  bytes: Uint8Array
): Publish {
  if (bytes.length > maxDocumentBytes) {
    throw new PublishRefusedError(
      `${id} has ${bytes.length} bytes, a document at most ${maxDocumentBytes}: share larger content in another way, and publish where it is and its digest`
    )
  }
  return { id, documentVersion: version, mediaType, digest: sha256(bytes), sizeBytes: bytes.length, publisherKey }
}
