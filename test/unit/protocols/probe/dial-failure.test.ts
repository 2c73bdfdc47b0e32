import { expect, test } from 'vitest'
import { dialFailureOf } from '../../../../src/protocols/probe/dial-failure.ts'

const coded = (code: string): Error => Object.assign(new Error(code), { code })
const named = (name: string): Error => Object.assign(new Error(name), { name })

test.each([
  ['nobody listens there', coded('ECONNREFUSED'), 'refused'],
  ['who listens there hangs up', coded('ECONNRESET'), 'refused'],
  ['the system gave up waiting', coded('ETIMEDOUT'), 'noAnswer'],
  ['this program gave up waiting', named('TimeoutError'), 'noAnswer'],
  ['the dial was broken off', named('AbortError'), 'noAnswer'],
  ['no router knows the way', coded('EHOSTUNREACH'), 'noRoute'],
  ['this machine has no way', coded('ENETUNREACH'), 'noRoute'],
  ['this machine has no address for it', coded('EADDRNOTAVAIL'), 'noRoute'],
  ['somebody else listens there', named('UnexpectedPeerError'), 'otherKey'],
  ['no key was proved', named('EncryptionFailedError'), 'otherKey'],
  [
    'an error of libp2p has the one of the system as its cause',
    new Error('dial', { cause: coded('ECONNREFUSED') }),
    'refused'
  ],
  ['the cause has a cause', new Error('a', { cause: new Error('b', { cause: coded('ENETUNREACH') }) }), 'noRoute'],
  [
    'an error says more than its cause',
    Object.assign(named('TimeoutError'), { cause: coded('ECONNREFUSED') }),
    'noAnswer'
  ],
  [
    'all addresses failed: the first one says why',
    new AggregateError([coded('ECONNREFUSED'), coded('ETIMEDOUT')]),
    'refused'
  ],
  ['no address was tried', new AggregateError([]), 'other'],
  ['the error is unknown', coded('EPIPE'), 'other'],
  ['the cause is unknown', new Error('a', { cause: 'text' }), 'other'],
  ['no error was thrown', 'text', 'other'],
  ['nothing was thrown', undefined, 'other']
])('where %s, the dial failed so', (_what, error, failure) => {
  expect(dialFailureOf(error)).toBe(failure)
})
