import type { NetConnectOpts } from 'node:net'
import { normalize } from 'node:path'
import { scopeOf } from '../../address/ipv6.ts'
import { socketParts } from '../../address/spelling.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'

/** Address on this machine: `[::1]:22` or `unix:/run/app.sock`. */
export type Target = Pick<NetConnectOpts, 'allowHalfOpen'> & ({ host: string; port: number } | { path: string })

const unix = 'unix:'
/** sun_path with its closing zero is 108 bytes. */
const maxPathBytes = 107
const example = '[::1]:22, or unix:/run/app.sock'

/** The one spelling of an address on this machine. @throws InvalidPayloadError, AddressSpellingError */
export function targetText(text: string): string {
  const target = targetOf(text)
  return 'path' in target ? `${unix}${target.path}` : `[${target.host}]:${target.port}`
}

/** @throws InvalidPayloadError, AddressSpellingError */
export function targetOf(text: string): Target {
  const given = text.trim()
  if (given.startsWith(unix)) return { path: checkedPath(given.slice(unix.length)), allowHalfOpen: true }
  const { host, port } = loopbackParts(given, example)
  if (port === 0) throw new InvalidPayloadError(`'${given}' has port 0: write ${example}`)
  return { host, port, allowHalfOpen: true }
}

/** Loopback address and port; of a bare port that on `::1`. @throws InvalidPayloadError, AddressSpellingError */
export function loopbackParts(given: string, like = '[::1]:8080, or 8080'): { host: string; port: number } {
  const parts = socketParts(/^\d+$/.test(given) ? `[::1]:${given}` : given, like)
  if (scopeOf(parts.host) === 'loopback') return parts
  throw new InvalidPayloadError(
    `'${given.slice(0, 120)}' is no address of this machine alone, and whoever reaches it would be this node: write ${like}`
  )
}

/** One spelling of a path, so that it is compared with others. */
function checkedPath(path: string): string {
  if (path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= maxPathBytes) return normalize(path)
  throw new InvalidPayloadError(
    `'${path.slice(0, 120)}' is no absolute path of at most ${maxPathBytes} bytes: write ${example}`
  )
}
