import { sha256 } from '../../../src/identity/hash.ts'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { type SignedPublish, sealPublish } from '../../../src/registry/documents/signed-publish.ts'
import type { Publish } from '../../../src/registry/objects/entry.ts'
import type { RealNetwork } from '../real-network.ts'

export const bytesOf = (content: string): Uint8Array => Buffer.from(content)

/** The first version of a document with that content. */
export const publishBy = ({ publicKey }: SigningKey, content: string): Publish => ({
  id: 'plan',
  documentVersion: 1,
  mediaType: 'text/plain',
  digest: sha256(bytesOf(content)),
  sizeBytes: bytesOf(content).length,
  publisherKey: publicKey
})

/** A document as its publisher signs it. */
export function signedBy(
  { root, clock }: RealNetwork,
  key: SigningKey,
  content: string,
  change: Partial<Publish> = {},
  timeMs = clock.now()
): SignedPublish {
  const { networkId, replica } = root
  const place = { networkId, epoch: 0, seenN: replica.head.n, timeMs }
  return sealPublish({ ...publishBy(key, content), ...change }, bytesOf(content), place, key)
}
