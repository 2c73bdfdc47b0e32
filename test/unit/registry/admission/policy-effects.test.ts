import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedCalls } from '../../../../src/registry/admission/policy-effects.ts'
import { mayCall, type PolicyRule } from '../../../../src/registry/objects/policy/call-rules.ts'

const members = [
  { name: 'web-1', groups: ['web'] },
  { name: 'web-2', groups: ['web'] },
  { name: 'db-1', groups: ['db'] },
  { name: 'laptop', groups: [] }
]
const rule = (from: string, to: string, service: string): PolicyRule => ({ from, to, service })
const told = (before: PolicyRule[], after: PolicyRule[]): string[] =>
  changedCalls({ rules: before }, { rules: after }, members).map(
    ({ from, to, service, allowed }) =>
      `${from.names.join('+')} ${allowed ? 'may' : 'may not'} ${service} ${to.names.join('+')}`
  )

describe('what a change of the rules does', () => {
  it('is told by kinds of members, for each service that a rule names and for all others', () => {
    expect(told([], [])).toEqual([])
    expect(told([rule('web', 'db', 'sql')], [rule('web', 'db', 'sql'), rule('*', 'web', 'http')])).toEqual([
      'web-1+web-2 may http web-1+web-2',
      'db-1 may http web-1+web-2',
      'laptop may http web-1+web-2'
    ])
    expect(told([rule('web', 'db', 'sql'), rule('web', 'db', 'ssh')], [rule('web', 'db', 'sql')])).toEqual([
      'web-1+web-2 may not ssh db-1'
    ])
  })

  it('of the first rule ends all that it does not allow', () => {
    const changes = told([], [rule('web', 'db', 'sql')])
    expect(changes).toContain('laptop may not * db-1')
    expect(changes).toContain('web-1+web-2 may not * db-1')
    expect(changes).not.toContain('web-1+web-2 may not sql db-1')
  })

  it('is all that differs between the two, and nothing else', () => {
    const group = fc.constantFrom('web', 'db', '*')
    const anyRules = fc.array(fc.record({ from: group, to: group, service: fc.constantFrom('sql', 'http', '*') }), {
      maxLength: 4
    })
    fc.assert(
      fc.property(anyRules, anyRules, (before, after) => {
        const changes = changedCalls({ rules: before }, { rules: after }, members)
        const services = new Set(['*', ...[...before, ...after].map(({ service }) => service)])
        for (const service of services) {
          for (const from of members) {
            for (const to of members) {
              const change = changes.find(
                (each) =>
                  each.service === service && each.from.names.includes(from.name) && each.to.names.includes(to.name)
              )
              const [was, is] = [before, after].map((rules) => mayCall({ rules }, from, to, service))
              expect(change?.allowed).toBe(was === is ? undefined : is)
            }
          }
        }
      })
    )
  })

  it('is told of the 100 largest kinds of members', () => {
    const many = Array.from({ length: 150 }, (_, n) => ({ name: `m${n}`, groups: [`g${n}`] }))
    const changes = changedCalls({ rules: [] }, { rules: [rule('g1', 'g2', 'sql')] }, [...many, ...members])
    expect(new Set(changes.map(({ from }) => from.names.join())).size).toBe(100)
    expect(changes.some(({ from }) => from.names.length === 2)).toBe(true)
  })
})
