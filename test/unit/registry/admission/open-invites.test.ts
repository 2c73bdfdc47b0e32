import { describe, expect, it } from 'vitest'
import { AmbiguousNameError, NotFoundError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

describe('an open invite', () => {
  it('is found by the beginning of its id, when that is of it alone', async () => {
    await using network = await RealNetwork.create()
    const { invites } = network.root.admission
    const ids = new Set<string>()
    // Two that begin alike are among 17.
    for (let count = 0; count < 17; count++) {
      const { grant } = await network.invite()
      ids.add(Buffer.from(grant.id).toString('hex'))
    }
    const [first = ''] = ids
    expect(Buffer.from(invites.find(first.toUpperCase()).grant.id).toString('hex')).toBe(first)
    for (const none of ['', 'xyz']) expect(() => invites.find(none)).toThrow(NotFoundError)
    const digits = [...ids].map((id) => id[0] ?? '')
    const shared = digits.find((digit, at) => digits.indexOf(digit) !== at) ?? ''
    expect(() => invites.find(shared)).toThrow(AmbiguousNameError)
  })
})
