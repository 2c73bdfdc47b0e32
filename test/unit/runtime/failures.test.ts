import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  exitNameOf,
  failureNamed,
  failureOf,
  httpStatusOf,
  isDecided,
  isFailedProof,
  isForeign,
  isForGood
} from '../../../src/runtime/failures.ts'

const files = globSync('{src,bin}/**/*.ts', { exclude: ['**/pb/**'] })
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
/** Names of all classes of errors in the source. */
const classes = [...texts.values()].flatMap((text) =>
  [...text.matchAll(/name = '(\w+Error)'/g)].map(([, name = '']) => name)
)

const named = (name: string): Error => Object.assign(new Error('refused'), { name })

it.each([
  // name, code, HTTP status, exit code; decided, for good, failed proof, foreign
  ['InvalidEnvelopeError', 'INVALID_ENVELOPE', 400, 'usage', true, false, true, false],
  ['UnsupportedVersionError', 'UNSUPPORTED_VERSION', 400, 'usage', true, false, false, false],
  ['ControlInputError', 'BAD_REQUEST', 400, 'usage', false, false, false, false],
  ['WrongNetworkError', 'WRONG_NETWORK', 403, 'refused', true, false, true, true],
  ['PinMismatchError', 'WRONG_NETWORK', 403, 'refused', false, false, false, true],
  ['NotMemberError', 'NOT_MEMBER', 403, 'refused', true, false, true, false],
  ['NotRootError', 'NOT_ROOT', 403, 'refused', false, false, false, false],
  ['RevokedError', 'REVOKED', 403, 'refused', true, true, false, false],
  ['NameTakenError', 'NAME_TAKEN', 403, 'refused', true, true, false, false],
  ['InviteRequiredError', 'INVITE_REQUIRED', 403, 'refused', true, true, false, false],
  ['InviteInvalidError', 'INVITE_INVALID', 403, 'refused', true, true, true, false],
  ['InviteExpiredError', 'INVITE_EXPIRED', 403, 'refused', true, true, true, false],
  ['InviteUsedError', 'INVITE_USED', 403, 'refused', true, true, true, false],
  ['JoinRejectedError', 'REJECTED', 403, 'refused', true, true, false, false],
  ['NotFoundError', 'NOT_FOUND', 404, 'noMatch', false, false, false, false],
  ['PendingError', 'PENDING', 503, 'timeout', true, false, false, false],
  ['UnavailableError', 'UNAVAILABLE', 503, 'timeout', false, false, false, false],
  ['RateLimitedError', 'RATE_LIMITED', 500, 'failure', false, false, false, false],
  ['StoreError', 'STORE_FAILED', 500, 'failure', false, false, false, false],
  ['TimeoutError', 'TIMEOUT', 504, 'timeout', false, false, false, false],
  ['ConfigError', 'CONFIG', 500, 'usage', false, false, false, false],
  ['NothingRunningError', 'NOT_RUNNING', 500, 'notRunning', false, false, false, false],
  ['TypeError', 'INTERNAL', 500, 'failure', false, false, false, false]
])('%s means the same to a remote, to the control API and to a command', (name, code, http, exit, ...means) => {
  const error = named(name)
  expect(failureOf(error).code).toBe(code)
  expect([httpStatusOf(error), exitNameOf(error)]).toEqual([http, exit])
  expect([isDecided(error), isForGood(error), isFailedProof(error), isForeign(error)]).toEqual(means)
})

it('what was thrown and is no error means nothing to others', () => {
  for (const thrown of ['RevokedError', undefined, { name: 'RevokedError' }]) {
    expect(failureOf(thrown).code).toBe('INTERNAL')
    expect(isDecided(thrown)).toBe(false)
  }
})

it('a refusal that ends a try for good is one that decides the request', () => {
  const forGood = classes.map(named).filter(isForGood)
  expect(forGood.length).toBeGreaterThan(5)
  expect(forGood.filter((error) => !isDecided(error))).toEqual([])
})

it('no file but the table lists names of errors', () => {
  const known = new Set(classes.filter((name) => failureNamed(name).code !== 'INTERNAL'))
  expect(known.size).toBeGreaterThan(20)
  const lists = [...texts].filter(([, text]) =>
    [...text.matchAll(/'(\w+Error)',?\s+'(\w+Error)'/g)].some(([, a = '', b = '']) => known.has(a) || known.has(b))
  )
  expect(lists.map(([file]) => file)).toEqual([])
})
