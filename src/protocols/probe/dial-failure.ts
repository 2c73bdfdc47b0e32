import { codeOf } from '../../runtime/error-code.ts'
import type { DialFailure } from './descriptor.ts'

const byCode: ReadonlyMap<string, DialFailure> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'refused'],
  ['ETIMEDOUT', 'noAnswer'],
  ['EHOSTUNREACH', 'noRoute'],
  ['ENETUNREACH', 'noRoute'],
  ['EADDRNOTAVAIL', 'noRoute']
])

const byName: ReadonlyMap<string, DialFailure> = new Map([
  ['TimeoutError', 'noAnswer'],
  ['AbortError', 'noAnswer'],
  ['UnexpectedPeerError', 'otherKey'],
  // libp2p wraps whatever ended Noise: who listens there did not prove the key.
  ['EncryptionFailedError', 'otherKey']
])

/** Names what kept a dial from its peer. */
export const dialFailureOf = (error: unknown): DialFailure => {
  if (error instanceof AggregateError) return dialFailureOf(error.errors[0])
  const found = byCode.get(codeOf(error) ?? '') ?? (error instanceof Error ? byName.get(error.name) : undefined)
  if (found !== undefined || !(error instanceof Error) || error.cause === undefined) return found ?? 'other'
  return dialFailureOf(error.cause)
}
