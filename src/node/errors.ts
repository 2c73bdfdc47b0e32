import { reasonOf } from '../runtime/error-message.ts'
import { inWords } from '../runtime/files/system-error.ts'

/** The configuration cannot be used; the message names file, line, key and what to write instead. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** One line per problem, all that were found. */
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** A host proved a key that is not among those pinned for it. Nothing but Noise was exchanged. */
export class PinMismatchError extends Error {
  override readonly name = 'PinMismatchError'
  /** PeerIds that were pinned, as text. */
  readonly expected: readonly string[]
  /** PeerId that the host proved, as text. */
  readonly actual: string
  constructor(address: string, expected: readonly string[], actual: string) {
    super(
      `${address} has the key ${actual}, but the pin says ${expected.join(' or ')}: it gets nothing; ` +
        'if the host was reinstalled, pin the new key with a new invite'
    )
    this.expected = expected
    this.actual = actual
  }
}

/** Failure that a dial met, with the address named once. */
export const failureText = (address: string, error: Error): string =>
  address === '' || error instanceof PinMismatchError ? error.message : `${address}: ${onlyDialText(error)}`

/** Failure of a dial to one member, at one address or at several, in words: of several the library says only that all failed. */
export const dialText = (error: unknown): string => {
  const each: readonly unknown[] = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error]
  return [...new Set(each.map((one) => inWords(reasonOf(one).replace(ofLibrary, ''))))].join('; ')
}

/** Prefix of the library of TCP, which names the address once more. */
const ofLibrary = /^connection error \S+: /

/** The same behind words that name the only address. */
export const onlyDialText = (error: unknown): string =>
  dialText(error).replace(/^\S+ cannot be reached: (?!.* cannot be reached)/, '')

/** No candidate of a race could be connected; `failures` says why, one by one. */
export class NoCandidateError extends Error {
  override readonly name = 'NoCandidateError'
  readonly failures: readonly { readonly address: string; readonly error: Error }[]
  constructor(failures: readonly { readonly address: string; readonly error: Error }[]) {
    const lines = failures.map(({ address, error }) => failureText(address, error))
    super(lines.length === 0 ? 'there is no address to dial' : `none of ${lines.length} answered: ${lines.join('; ')}`)
    this.failures = failures
  }
}

/** A host proved its key and then hung up on ours without a word: it stops, or has told our key too often that it is revoked. */
export class HungUpError extends Error {
  override readonly name = 'HungUpError'
}

/** A registry failed a moment ago and others are looked for first. */
export class JustTriedError extends Error {
  override readonly name = 'JustTriedError'
}

/** It was not answered in time, whatever the reason: by the deadline of a signal, or of a protocol. */
export const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'DeadlineError')

/** The other side does not speak the protocol: asked again at once it answers the same. */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof Error && error.name === 'UnsupportedProtocolError'

/** An address that is not plain IPv6 with TCP, or not one that the configuration allows. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
}

/** Too many connections of one /64, or of all strangers, were in a handshake. */
export class InboundLimitError extends Error {
  override readonly name = 'InboundLimitError'
}
