import { describe, expect, it } from 'vitest'
import { checkCallRules, failedTests, mayCall, ruleFor } from '../../../../../src/registry/objects/policy/call-rules.ts'
import {
  checkPolicy,
  defaultPolicy,
  type Policy,
  policyMessage,
  policyOf
} from '../../../../../src/registry/objects/policy/policy.ts'
import { InvalidPayloadError, UnsupportedVersionError } from '../../../../../src/runtime/errors.ts'
import { keyOf } from '../../../../helpers/signed-objects.ts'

const rules = [
  { from: 'web', to: 'db', service: 'postgres' },
  { from: 'admins', to: '*', service: '*' },
  { from: '*', to: 'web', service: 'http' }
]
const member = (...groups: string[]) => ({ groups })

describe('rules of who may call what', () => {
  it('let everybody call everything while there are none', () => {
    expect(mayCall({ rules: [] }, member(), member(), 'ssh')).toBe(true)
  })

  it.each([
    ['a group may call the service that a rule names', member('web'), member('db'), 'postgres', true],
    ['and no other service', member('web'), member('db'), 'ssh', false],
    ['and not the other way round', member('db'), member('web'), 'postgres', false],
    ['one of several groups is enough', member('ops', 'web'), member('db', 'eu'), 'postgres', true],
    ['a group may call every service everywhere', member('admins'), member(), 'ssh', true],
    ['everybody may call a service of a group', member(), member('web'), 'http', true],
    ['nobody else may call anything', member(), member(), 'http', false]
  ])('%s', (_, from, to, service, allowed) => {
    expect(mayCall({ rules }, from, to, service)).toBe(allowed)
    expect(ruleFor({ rules }, from, to, service) !== undefined).toBe(allowed)
  })

  it('are asked what their tests say, for members of these groups alone', () => {
    const tests = [
      { from: 'web', to: 'db', service: 'postgres', allowed: true },
      { from: '*', to: 'db', service: 'postgres', allowed: false },
      { from: 'web', to: 'db', service: 'ssh', allowed: true },
      { from: 'admins', to: 'db', service: 'ssh', allowed: false }
    ]
    expect(failedTests({ rules, tests })).toEqual(tests.slice(2))
  })

  it('have bounds', () => {
    const of = (count: number) => Array.from({ length: count }, () => ({ from: 'a', to: 'b', service: 'c' }))
    const asked = (count: number) => of(count).map((rule) => ({ ...rule, allowed: true }))
    expect(() => checkCallRules({ rules: of(128), tests: asked(128) })).not.toThrow()
    expect(() => checkCallRules({ rules: of(129), tests: [] })).toThrow(InvalidPayloadError)
    expect(() => checkCallRules({ rules: [], tests: asked(129) })).toThrow(InvalidPayloadError)
    expect(() => checkCallRules({ rules: [], tests: [{ from: 'a', to: 'b', service: '*', allowed: true }] })).toThrow(
      'names one service'
    )
    expect(() => checkCallRules({ rules: [{ from: 'A', to: 'b', service: 'c' }], tests: [] })).toThrow(
      'group in a rule'
    )
    expect(() => checkCallRules({ rules: [{ from: 'a', to: 'b', service: '' }], tests: [] })).toThrow(
      'service in a rule'
    )
  })
})

describe('a policy', () => {
  it('of a newer way to publish or relay cannot be judged', () => {
    expect(policyOf(policyMessage(defaultPolicy))).toEqual(defaultPolicy)
    expect(() => policyOf({ ...policyMessage(defaultPolicy), publishing: 3 })).toThrow(UnsupportedVersionError)
    expect(() => policyOf({ ...policyMessage(defaultPolicy), relaying: 3 })).toThrow(UnsupportedVersionError)
  })

  it.each<[string, Partial<Policy>]>([
    ['17 witnesses', { witnessKeys: Array.from({ length: 17 }, (_, index) => keyOf(index + 1).publicKey) }],
    ['a witness twice', { witnessKeys: [keyOf(1).publicKey, keyOf(1).publicKey] }],
    ['more needed than named', { witnesses: 2, witnessKeys: [keyOf(1).publicKey] }]
  ])('with %s is none', (_, change) => {
    expect(() => checkPolicy({ ...defaultPolicy, ...change })).toThrow(InvalidPayloadError)
  })
})
