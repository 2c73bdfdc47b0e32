import type { AddressKind } from '../../../address/spelling.ts'
import { isPeerIdText } from '../../../identity/keys.ts'
import { parseNetworkId } from '../../../identity/network-id.ts'
import { refused, text } from '../fields.ts'

/** An address in its one canonical spelling. */
export const addressOf = (kind: AddressKind) =>
  text().transform((value, context) => refused(context, () => kind(value)))

export const peerIdText = () =>
  text((value) =>
    isPeerIdText(value)
      ? undefined
      : `'${value}' is no PeerId of an Ed25519 key: it has 52 characters and begins with 12D3KooW`
  )

export const networkIdText = () =>
  text((value) => {
    try {
      parseNetworkId(value)
      return undefined
    } catch {
      return `'${value}' is no network id: \`trustnet identity\` shows it`
    }
  })
