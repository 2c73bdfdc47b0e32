import { describe, expect, it } from 'vitest'
import { RateLimitedError } from '../../../../src/protocols/engine/errors.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import {
  errorOf,
  isOwnFailure,
  refusalText,
  retryAfterMsOf,
  statuses,
  statusOf,
  statusText
} from '../../../../src/protocols/engine/status.ts'
import { ForkError, StaleRecordError, StoreError, UnavailableError } from '../../../../src/runtime/errors.ts'

describe('statuses', () => {
  it('lead from an error to the same error at the other side', () => {
    const told = Object.values(statuses).filter((status) => status !== statuses.OK && status !== statuses.INTERNAL)
    for (const status of told) expect(statusOf(errorOf(status, 'refused'))).toBe(status)
  })

  it('tell INTERNAL for every error that is no named failure', () => {
    for (const error of [new TypeError('x'), new Error('disk'), 'text', undefined, { name: 'toString' }]) {
      expect(statusOf(error)).toBe(statuses.INTERNAL)
    }
    const named = new Error('x')
    named.name = 'constructor'
    expect(statusOf(named)).toBe(statuses.INTERNAL)
  })

  it('say of a failing disk that the registry is not available for now', () => {
    const full = new StoreError('no space left')
    expect(statusOf(full)).toBe(statuses.UNAVAILABLE)
    expect(retryAfterMsOf(full)).toBeGreaterThan(0)
    expect(isOwnFailure(full)).toBe(true)
    expect(isOwnFailure(new TypeError('x'))).toBe(true)
  })

  it('say of a log with two histories that nothing is appended for now, without a line of error', () => {
    expect(statusOf(new ForkError('two histories'))).toBe(statuses.UNAVAILABLE)
    expect(isOwnFailure(new ForkError('two histories'))).toBe(false)
    expect(isOwnFailure(new UnavailableError('x', 8))).toBe(false)
  })

  it('keep what a caller needs to go on: the held record and the wait', () => {
    const stale = errorOf(statuses.STALE, 'older', { held: Uint8Array.of(1) })
    expect(stale).toBeInstanceOf(StaleRecordError)
    expect(stale).toMatchObject({ held: Uint8Array.of(1) })
    expect(retryAfterMsOf(errorOf(statuses.UNAVAILABLE, 'away', { retryAfterMs: 42 }))).toBe(42)
    expect(retryAfterMsOf(new RateLimitedError('x', 7))).toBe(7)
    expect(retryAfterMsOf(new UnavailableError('x', 8))).toBe(8)
    expect(retryAfterMsOf(new Error('x'))).toBe(0)
  })

  it('of a newer version are failures with their number', () => {
    expect(errorOf(99, 'refused')).toMatchObject({
      name: 'RemoteFailureError',
      status: 99,
      message: 'refused (STATUS 99)'
    })
    expect(statusText(statuses.NAME_TAKEN)).toBe('NAME_TAKEN')
  })
})

describe('limits', () => {
  it('are overridden one by one', () => {
    const limits = limitsWith({ register: { inFlight: 3 } })
    expect(limits.register.inFlight).toBe(3)
    expect(limits.register.pongMs).toBe(limitsWith().register.pongMs)
  })
})

it('a refusal says in words what only an action changes, and always its status', () => {
  expect(refusalText(statuses.INVITE_EXPIRED, 'the registry refused the registration')).toBe(
    'the invite has expired (INVITE_EXPIRED)'
  )
  expect(refusalText(statuses.RATE_LIMITED, 'the registry refused the record')).toBe(
    'the registry refused the record: RATE_LIMITED'
  )
  expect(refusalText(4242, 'the registry refused the record')).toBe('the registry refused the record: STATUS 4242')
})
