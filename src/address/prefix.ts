import { parseIp6 } from './multiaddr.ts'

/** A /64 as 16 hex digits: what a network gives to one site at least, so what limits are counted by. */
export const prefix64 = (address: string): string | undefined => {
  const bytes = parseIp6(address)
  return bytes === undefined ? undefined : Buffer.from(bytes.subarray(0, 8)).toString('hex')
}

/** Text of a prefix that is given as hex digits, by which a culprit without a key is named. */
export const prefixText = (digits: string, bits: number): string =>
  `/ip6/${digits.match(/.{4}/g)?.join(':') ?? digits}::/ipcidr/${bits}`

/** Tells whether an address lies in one of the prefixes (`fd00::/8`); prefixes that are none match nothing. */
export const prefixMatcher = (prefixes: readonly string[]): ((address: string) => boolean) => {
  const parsed = prefixes.flatMap((prefix) => {
    const [base = '', length = ''] = prefix.split('/')
    const bytes = parseIp6(base)
    return bytes === undefined || !/^\d{1,3}$/.test(length) ? [] : [{ bytes, bits: Number(length) }]
  })
  return (address) => {
    const bytes = parseIp6(address)
    return bytes !== undefined && parsed.some((prefix) => sameBits(bytes, prefix.bytes, prefix.bits))
  }
}

const sameBits = (a: Uint8Array, b: Uint8Array, bits: number): boolean => {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const mask = (0xff00 >> (bits & 7)) & 0xff
  return ((a[whole] ?? 0) & mask) === ((b[whole] ?? 0) & mask)
}
