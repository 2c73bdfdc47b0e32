import { codeOf } from '../../runtime/error-code.ts'
import type { DialFailure } from './descriptor.ts'

const byCode: Readonly<Record<string, DialFailure>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  ETIMEDOUT: 'noAnswer',
  EHOSTUNREACH: 'noRoute',
  ENETUNREACH: 'noRoute',
  EADDRNOTAVAIL: 'noRoute'
}

const byName: Readonly<Record<string, DialFailure>> = {
  TimeoutError: 'noAnswer',
  AbortError: 'noAnswer',
  UnexpectedPeerError: 'otherKey',
  // libp2p wraps whatever ended Noise: who listens there did not prove the key.
  EncryptionFailedError: 'otherKey'
}

/** Names what kept a dial from its peer. */
export const dialFailureOf = (error: unknown): DialFailure => {
  if (error instanceof AggregateError) return dialFailureOf(error.errors[0])
  const found = byCode[codeOf(error) ?? ''] ?? (error instanceof Error ? byName[error.name] : undefined)
  if (found !== undefined || !(error instanceof Error) || error.cause === undefined) return found ?? 'other'
  return dialFailureOf(error.cause)
}
