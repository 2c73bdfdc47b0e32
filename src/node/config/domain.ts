import { domainToASCII } from 'node:url'

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export const isLabel = (value: string): boolean => label.test(value)

/** The rule that a text breaks which is no domain. */
export const domainRule = (text: string): string =>
  text.replace(/\.$/, '').includes('.')
    ? 'each of its parts has letters, digits and inner hyphens, at most 63 characters of 253, and the last one is no number, like example.org'
    : 'it has at least two parts, like example.org'

/** The one way a domain is written here: lower case, without a final dot, other letters as `xn--…`. undefined: it is none. */
export const normalDomain = (text: string): string | undefined => {
  const bare = text.replace(/\.$/, '')
  // domainToASCII takes what a browser would: parts of a URL and IPv4 numbers are no domains here.
  if (/[\s/?#@:\\%[\]]/.test(bare)) return undefined
  const domain = domainToASCII(bare)
  const labels = domain.split('.')
  return domain.length <= 253 && labels.length >= 2 && labels.every(isLabel) && !/^\d+$/.test(labels.at(-1) ?? '')
    ? domain
    : undefined
}
