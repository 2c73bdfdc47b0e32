import { describe, expect, it } from 'vitest'
import { prefix64, prefixMatcher } from '../../../src/address/prefix.ts'
import { Pins } from '../../../src/node/host/dial-pins.ts'

describe('prefixes', () => {
  it('a /64 has one key for all its addresses', () => {
    expect(prefix64('2001:db8:1:2::5')).toBe('20010db800010002')
    expect(prefix64('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe(prefix64('2001:DB8:1:2::'))
    expect(prefix64('2001:db8:1:3::')).not.toBe(prefix64('2001:db8:1:2::'))
    expect(prefix64('192.0.2.1')).toBeUndefined()
  })

  it('match by bits, also between bytes', () => {
    const inside = prefixMatcher(['fd00:1200::/20', '::1/128', '2001:db8::/0x', 'nonsense'])
    expect(['fd00:1fff::1', 'fd00:1200::', '::1'].map(inside)).toEqual([true, true, true])
    expect(['fd00:2000::1', '::2', '2001:db8::1', 'x'].map(inside)).toEqual([false, false, false, false])
    expect(prefixMatcher(['::/0'])('2001:db8::1')).toBe(true)
  })
})

describe('pins', () => {
  it('an address without expectations accepts every key', () => {
    expect(new Pins().accept('/a', 'X')).toBe(true)
  })

  it('a key that one of two dials wants is accepted, and the other is told', () => {
    const pins = new Pins()
    const first = pins.expect('/a', new Set(['X']))
    const second = pins.expect('/a', new Set(['Y']))
    expect(pins.accept('/a', 'X')).toBe(true)
    expect([first.mismatch, second.mismatch]).toEqual([undefined, 'X'])
    expect(pins.accept('/a', 'Z')).toBe(false)
    expect([first.mismatch, second.mismatch]).toEqual(['Z', 'Z'])
    pins.forget('/a', first)
    pins.forget('/a', second)
    expect(pins.accept('/a', 'Z')).toBe(true)
  })
})
