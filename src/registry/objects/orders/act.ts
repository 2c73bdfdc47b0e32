import { equals } from 'uint8arrays/equals'
import { toString as text } from 'uint8arrays/to-string'
import { sha256 } from '../../../identity/hash.ts'
import { InvalidPayloadError, UnsupportedVersionError } from '../../../runtime/errors.ts'
import { type EntryContent, type EntryKind, encodeBody, entryKindOf, entryKinds } from '../entry.ts'
import { bodyKinds } from '../entry-bodies.ts'
import { payloadHash, type Signed } from '../envelope.ts'
import { type Order, openOrder } from './order.ts'

/** An entry that an operator wants, as it travels to the root: its kind, its body or the join that is approved, and the order. */
export interface Act {
  kind: number
  body: Uint8Array
  order: Uint8Array
}

/** Kinds of entries that operators order. Others are made by machines, or by the authority. */
const orderable: ReadonlySet<EntryKind> = new Set([
  'admit',
  'revoke',
  'registrySet',
  'publisher',
  'retire',
  'policy',
  'grant',
  'grantEnd',
  'change',
  'end',
  'operator'
])

/** An act whose order is rightly signed and for just this. Whether its signer is an operator the log tells. */
export interface OpenedAct extends Act {
  content: EntryContent | { kind: 'admit'; join: Uint8Array }
  signed: Signed<Order>
}

/** Kind and body of an act, which are signed. */
export const actOf = (content: EntryContent): Omit<Act, 'order'> =>
  content.kind === 'admit' && content.body.join !== undefined
    ? { kind: entryKinds.admit, body: content.body.join }
    : encodeBody(content)

/** Digest that an order for an act names. */
export const digestOf = ({ kind, body }: Omit<Act, 'order'>): Uint8Array =>
  kind === entryKinds.admit ? payloadHash(body) : sha256(body)

const idChars = 12

/** The id of acts: of what is to be done, not of who ordered it. */
export const idOfActs = (acts: readonly Omit<Act, 'order'>[]): string =>
  text(
    sha256(Buffer.concat(acts.map((act) => Buffer.concat([Buffer.from([act.kind]), digestOf(act)])))),
    'base16'
  ).slice(0, idChars)

/**
 * Opens an act.
 * @throws InvalidPayloadError, InvalidEnvelopeError, WrongNetworkError, UnsupportedVersionError
 */
export function openAct(act: Act, networkId: Uint8Array): OpenedAct {
  const signed = openOrder(act.order, networkId)
  const { kind, digest } = signed.value
  if (kind !== act.kind || !equals(digest, digestOf(act))) {
    throw new InvalidPayloadError('the order is for something else than what came with it')
  }
  return { ...act, signed, content: contentOf(act) }
}

/** The entry that an act is for, or the join that it approves. @throws InvalidPayloadError, UnsupportedVersionError */
export function contentOf({ kind: number, body }: Omit<Act, 'order'>): OpenedAct['content'] {
  const kind = entryKindOf(number)
  if (kind === undefined || !orderable.has(kind)) {
    throw new UnsupportedVersionError(`entries of kind ${number} are not made by the order of an operator`)
  }
  if (kind === 'admit') return { kind, join: body }
  const content: EntryContent = bodyKinds[kind].decode(body)
  // With fields of a newer version it could not be written again as it was signed.
  if (equals(encodeBody(content).body, body)) return content
  throw new UnsupportedVersionError('the order is for an entry of a newer version: update this program')
}
