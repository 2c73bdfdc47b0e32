import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  age,
  bytes,
  duration,
  milliseconds,
  orUnknown,
  percent,
  safeJson,
  sanitise,
  sanitiseError,
  shortPeerId,
  wrapped
} from '../../../../src/cli/output/text.ts'

const hostile = [
  ['an escape sequence', 'a\u001b[31mb', 'a\uFFFD[31mb'],
  ['a C1 control sequence', 'a\u009b31mb', 'a\uFFFD31mb'],
  ['a line break', 'a\r\nb', 'a\uFFFD\uFFFDb'],
  ['a bidi override', 'a\u202eb', 'a\uFFFDb'],
  ['a bidi isolate', 'a\u2066b', 'a\uFFFDb'],
  ['zero width', 'a\u200bb', 'a\uFFFDb'],
  ['a line separator', 'a\u2028b', 'a\uFFFDb'],
  ['a lone surrogate', 'a\ud800b', 'a\uFFFDb'],
  ['a tag character', 'a\u{e0041}b', 'a\uFFFDb'],
  ['letters of any script', 'größe 日本 ✓', 'größe 日本 ✓']
] as const

describe('sanitise', () => {
  test.each(hostile)('%s', (_, given, shown) => {
    expect(sanitise(given)).toBe(shown)
  })

  test('leaves nothing that a terminal obeys, whatever comes', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        expect(sanitise(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        expect(sanitise(text).length).toBeLessThanOrEqual(200)
      })
    )
  })
})

describe('sanitiseError', () => {
  test('cuts a text that is too long in its middle: its end says what to do', () => {
    const cut = sanitiseError(`the file ${'x'.repeat(9_000)}: name another`)
    expect(cut).toHaveLength(4_000)
    expect(cut).toMatch(/^the file x+…x+: name another$/)
  })
})

describe('safeJson', () => {
  test('is the same value, and nothing in it moves the cursor', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const json = safeJson({ text })
        expect(JSON.parse(json)).toEqual({ text: JSON.parse(JSON.stringify(text)) })
        expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      })
    )
  })
})

describe('numbers for people', () => {
  test.each([
    [null, '-'],
    [0, '0ms'],
    [850, '850ms'],
    [4250, '4.2s'],
    [45_900, '45s'],
    [192_000, '3m12s'],
    [7_500_000, '2h5m'],
    [7_200_000, '2h'],
    [792_000_000, '9d4h']
  ])('duration of %s is %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  test('unknown is -, zero is zero', () => {
    expect([age(null), milliseconds(null), percent(null), bytes(null), orUnknown(null), orUnknown('')]).toEqual(
      Array.from({ length: 6 }, () => '-')
    )
    expect([age(0), percent(0), bytes(0)]).toEqual(['0s', '0.0%', '0B'])
  })

  test('units', () => {
    expect([
      milliseconds(0),
      milliseconds(1.26),
      milliseconds(12.6),
      percent(100),
      percent(99.95),
      bytes(2048),
      bytes(3 * 1024 ** 3)
    ]).toEqual(['<0.1ms', '1.3ms', '13ms', '100%', '99.9%', '2.0KiB', '3.0GiB'])
  })

  test('a PeerId is shown by its end, where it differs', () => {
    expect(shortPeerId('12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1aaaa')).toBe('…RCu1aaaa')
  })
})

describe('wrapped', () => {
  test('breaks between parts alone, never without a width', () => {
    expect(wrapped(['aa', 'bb', 'cc'], ' · ', undefined)).toBe('aa · bb · cc')
    expect(wrapped(['aa', 'bb', 'cc'], ' · ', 8)).toBe('aa · bb ·\ncc')
    expect(wrapped(['aa', 'longer than that', 'c'], ' ', 6, '  ')).toBe('aa\n  longer than that\n  c')
  })
})
