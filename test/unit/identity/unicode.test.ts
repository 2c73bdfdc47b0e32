import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkText } from '../../../src/identity/checked-bytes.ts'
import { isAssigned } from '../../../src/identity/unicode.ts'
import { InvalidPayloadError } from '../../../src/runtime/errors.ts'

interface Text {
  name: string
  utf8: string
}

const vectors: { good: Text[]; bad: Text[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/text.json', import.meta.url), 'utf8')
)
const textOf = ({ utf8 }: Text): string => Buffer.from(utf8.slice('hex:'.length), 'hex').toString()

describe('text', () => {
  it.each(vectors.good)('may be $name', (vector) => checkText(textOf(vector), 1, 64, 'text'))
  it.each(vectors.bad)('is not $name', (vector) => {
    expect(() => checkText(textOf(vector), 1, 64, 'text')).toThrow(InvalidPayloadError)
  })
})

describe('code points of Unicode 15.0', () => {
  const all = Array.from({ length: 0x110000 }, (_, code) => code).filter(isAssigned)

  it('are 288,767, and what this runtime knows beside them came later', () => {
    expect(all).toHaveLength(288_767)
    expect(all.every((code) => /\p{Assigned}/u.test(String.fromCodePoint(code)))).toBe(true)
  })

  it.each([0x0, 0x377, 0x10ffff - 2, 0x31350, 0x10efd])('hold U+%i', (code) => expect(isAssigned(code)).toBe(true))
  it.each([0x378, 0x10fffe, 0x10ffff, 0x2ebf0, 0x105d2, 0x323b0])('do not hold U+%i', (code) => {
    expect(isAssigned(code)).toBe(false)
  })

  it.skipIf(spawnSync('python3', ['-c', '']).status !== 0)('have the same normal form C in another runtime', () => {
    const marks = [0x300, 0x301, 0x307, 0x308, 0x323, 0x327, 0x345, 0x3099, 0x94d, 0x1161, 0x11a8]
    const script = `
import hashlib, sys, unicodedata
codes = [int(line) for line in sys.stdin if unicodedata.category(chr(int(line))) not in ('Cn', 'Cs')]
hash = hashlib.sha256()
for mark in ['', *map(chr, ${JSON.stringify(marks)})]:
  hash.update('\\n'.join(unicodedata.normalize('NFC', chr(code) + mark) for code in codes).encode())
print(','.join(map(str, codes)), hash.hexdigest())`
    const input = all.join('\n')
    const [codes = '', digest] = execFileSync('python3', ['-c', script], { input, maxBuffer: 2 ** 26 })
      .toString()
      .trim()
      .split(' ')
    const texts = codes.split(',').map((code) => String.fromCodePoint(Number(code)))
    const hash = createHash('sha256')
    for (const mark of ['', ...marks.map((each) => String.fromCodePoint(each))]) {
      hash.update(texts.map((each) => (each + mark).normalize('NFC')).join('\n'))
    }
    expect(codes.length).toBeGreaterThan(1_000_000)
    expect(hash.digest('hex')).toBe(digest)
  })
})
