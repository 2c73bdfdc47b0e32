import { fromString } from 'uint8arrays/from-string'
import { toString as textOf } from 'uint8arrays/to-string'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'

/** Namespace of the keys; kad-dht finds the validator by it. */
export const namespace = 'trustnet'

const prefix = `/${namespace}/`

/** The PeerId is text: the bytes of a multihash may hold a slash, where kad-dht cuts the key. */
export const recordKey = (publicKey: Uint8Array): Uint8Array => fromString(prefix + peerIdText(publicKey))

/**
 * The member that a key is about.
 * @throws InvalidPayloadError
 */
export function publicKeyOfRecordKey(key: Uint8Array): Uint8Array {
  const text = textOf(key)
  if (!text.startsWith(prefix)) throw new InvalidPayloadError(`A key outside ${prefix}.`)
  const publicKey = publicKeyOf(text.slice(prefix.length))
  // One member, one key: another spelling of the same PeerId would be room for a second value.
  if (text !== prefix + peerIdText(publicKey))
    throw new InvalidPayloadError('A PeerId that is not in its usual spelling.')
  return publicKey
}
