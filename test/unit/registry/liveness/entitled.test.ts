import { describe, expect, it } from 'vitest'
import { isEntitled } from '../../../../src/registry/liveness/entitled.ts'
import { ann, bob, eve, fay, hint, self } from '../../../helpers/registry/liveness.ts'

describe('who may say how a member is', () => {
  const who = { self, isRegistry: (key: Uint8Array) => key === eve, namedBy: () => undefined }
  const holding = (member: Uint8Array, holder: Uint8Array) => ({
    ...who,
    namedBy: (key: Uint8Array) => (key === member ? { seq: 1, holder } : undefined)
  })

  it('the member itself, a registry of the network, and the one that its record names, each of its own', () => {
    expect(isEntitled(hint({ source: ann }), ann, who)).toBe(true)
    expect(isEntitled(hint({ source: eve }), eve, who)).toBe(true)
    expect(isEntitled(hint({ source: fay }), fay, holding(ann, fay))).toBe(true)
    expect(isEntitled(hint({ source: fay }), fay, who)).toBe(false)
    expect(isEntitled(hint({ source: fay }), fay, holding(bob, fay))).toBe(false)
  })

  it('whoever passes it on is a registry, or holds the lease of this node in place of one', () => {
    expect(isEntitled(hint({ source: ann }), eve, who)).toBe(true)
    expect(isEntitled(hint({ source: eve }), bob, who)).toBe(false)
    expect(isEntitled(hint({ source: eve }), bob, holding(self, bob))).toBe(true)
    expect(isEntitled(hint({ source: fay }), eve, who)).toBe(false)
  })
})
