import { describe, expect, it } from 'vitest'
import { decodeBounded } from '../../../src/dns/bounded-decode.ts'

const types = { a: 1, txt: 16, unknown: 99 }
const address = Buffer.from([192, 0, 2, 1])

const message = (...records: Buffer[]): Buffer => {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, ...records])
}

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const fields = Buffer.alloc(10)
  fields.writeUInt16BE(type, 0)
  fields.writeUInt16BE(1, 2)
  fields.writeUInt16BE(data.byteLength, 8)
  return Buffer.concat([name, fields, data])
}

const pointer = (to: number): Buffer => Buffer.from([0xc0 | (to >> 8), to & 0xff])
const rootName = Buffer.from([0])

describe('a message of DNS', () => {
  it('whose names lead to themselves, in a circle or forwards is refused', () => {
    for (const name of [pointer(12), Buffer.concat([pointer(14), pointer(12)]), pointer(30)]) {
      expect(() => decodeBounded(message(record(name, types.a, address)))).toThrow(/bad pointer/)
    }
  })

  it('with hundreds of names at the end of a chain of thousands of pointers comes to an end', () => {
    const begin = 12 + 1 + 10
    const chain = Buffer.concat([
      Buffer.from([0, 0]),
      ...Array.from({ length: 4_999 }, (_, index) => pointer(begin + 2 * index))
    ])
    const others = Array.from({ length: 300 }, () => record(pointer(begin + chain.byteLength - 2), types.a, address))
    const { answers = [] } = decodeBounded(message(record(rootName, types.unknown, chain), ...others))
    expect(answers.slice(1).every(({ name }) => name === '.')).toBe(true)
  })

  it('with a text of thousands of parts is as large as it came, and records that do not come are refused', () => {
    const { answers } = decodeBounded(message(record(rootName, types.txt, Buffer.alloc(16_000))))
    expect(answers).toMatchObject([{ data: { length: 16_000 } }])
    const many = Buffer.alloc(12)
    many.writeUInt16BE(500, 6)
    expect(() => decodeBounded(many)).toThrow(/overflow/)
  })

  it('is refused by its length and by the number of its records before anything is decoded', () => {
    expect(() => decodeBounded(Buffer.alloc(16_385))).toThrow(/16385 bytes/)
    expect(() => decodeBounded(Buffer.alloc(11))).toThrow(/11 bytes/)
    expect(() =>
      decodeBounded(message(...Array.from({ length: 513 }, () => record(rootName, types.a, address))))
    ).toThrow(/513 records/)
  })
})
