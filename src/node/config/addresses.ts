import { isIPv6 } from 'node:net'
import { text } from './fields.ts'

const tcpAddress = /^\/ip6\/([0-9a-fA-F:.]+)\/tcp\/(\d{1,5})(\/p2p\/[1-9A-HJ-NP-Za-km-z]{40,64})?$/

const wrong = (value: string): string | undefined => {
  const match = tcpAddress.exec(value)
  const port = Number(match?.[2])
  if (match !== null && isIPv6(match[1] ?? '') && !(match[1] ?? '').includes('.') && port >= 1 && port <= 65_535) {
    return undefined
  }
  return `'${value}' is no IPv6 TCP multiaddr: write it like /ip6/2001:db8::5/tcp/8000 or with /p2p/PEERID at its end`
}

/** A host to dial: `/ip6/…/tcp/…`, with or without the PeerId that it must prove. */
export const dialAddress = () => text(wrong)

/** An address of this node's own: the same without a PeerId. */
export const ownAddress = () =>
  text((value) =>
    value.includes('/p2p/') ? `'${value}' must not have a /p2p part: it is this node's own` : wrong(value)
  )

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
    /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/.test(value)
      ? undefined
      : `'${value}' is no PeerId of an Ed25519 key: it has 52 characters and begins with 12D3KooW`
  )

export const networkIdText = () =>
  text((value) =>
    /^tn[a-z2-7]{20,60}$/.test(value) ? undefined : `'${value}' is no network id: \`trustnet identity\` shows it`
  )
