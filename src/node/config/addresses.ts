import { isIPv6 } from 'node:net'
import { isAnnounceable, isPlainIp6, normalAddr, parseAddr } from '../../address/multiaddr.ts'
import { isPeerIdText } from '../../identity/keys.ts'
import { parseNetworkId } from '../../identity/network-id.ts'
import { text } from './fields.ts'

const example = '/ip6/2001:db8::5/tcp/8000'

const wrong = (value: string): string | undefined =>
  isPlainIp6(value) && parseAddr(value)?.port !== undefined
    ? undefined
    : `'${value}' is no address that can be dialled: write IPv6 and TCP like ${example}, or with /p2p/PEERID at its end`

/** A host to dial: `/ip6/…/tcp/…`, with or without the PeerId that it must prove. In its one right spelling. */
export const dialAddress = () => text(wrong).transform((value) => normalAddr(value) ?? value)

/** An address of this node's own: what a node record may hold. */
export const ownAddress = () =>
  text((value) =>
    isAnnounceable(value)
      ? undefined
      : `'${value}' cannot be announced: write IPv6 and TCP like ${example}, without /p2p`
  ).transform((value) => normalAddr(value) ?? value)

const prefix = /^([0-9a-fA-F:]+)\/(\d{1,3})$/

export const ipv6Prefix = () =>
  text((value) => {
    const match = prefix.exec(value)
    if (match !== null && isIPv6(match[1] ?? '') && Number(match[2]) <= 128) return undefined
    return `'${value}' is no IPv6 prefix: write it like fd00:1234::/48`
  })

/** A resolver, by address; its port when it is not 53 as `[2001:db8::53]:5353`. It may be IPv4: only peers may not. */
export const resolverAddress = () =>
  text((value) =>
    /^(\[[0-9a-fA-F:.]+\](:\d{1,5})?|[0-9a-fA-F:]+|\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?)$/.test(value)
      ? undefined
      : `'${value}' is no resolver address: write it like 2001:db8::53 or [::1]:5353`
  )

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
