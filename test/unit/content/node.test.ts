import { assert, integer, nat, oneof, property, tuple, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidBlockError } from '../../../src/content/errors.ts'
import { standardSettings } from '../../../src/content/file-tree.ts'
import { decodeLink, encodeLink } from '../../../src/content/link.ts'
import { type Content, maxNodeBytes, nodeBlock, type Part, rawBlock, readNode } from '../../../src/content/node.ts'

const leaf = rawBlock(Buffer.from('leaf'))
const part = (name: string): Part => ({ codec: 'raw', digest: leaf.digest, name, treeBytes: 4 })
const samples: Content[] = [
  { type: 'folder', parts: [] },
  { type: 'folder', parts: [part('a'), part('ü')] },
  { type: 'shard', parts: [part('00a')], places: Uint8Array.of(1) },
  { type: 'file', parts: [part(''), part('')], sizes: [4, 4], size: 8 },
  { type: 'symlink', target: new Uint8Array(Buffer.from('../x')) }
]

describe('blocks of nodes', () => {
  it.each(samples)('reads what it writes: $type', (content) => {
    expect(readNode(nodeBlock(content).bytes)).toEqual(content)
  })

  it('reads no bytes in two ways: any byte changed, more or less is another node or none', () => {
    for (const { bytes } of samples.map(nodeBlock)) {
      const others = oneof(
        tuple(nat(bytes.length - 1), integer({ min: 1, max: 255 })).map(([at, by]) => {
          const copy = bytes.slice()
          copy[at] = (copy[at] ?? 0) ^ by
          return copy
        }),
        uint8Array({ minLength: 1, maxLength: 8 }).map((more) => Uint8Array.from([...bytes, ...more])),
        nat(bytes.length - 1).map((length) => bytes.slice(0, length))
      )
      assert(
        property(others, (other) => {
          try {
            expect(nodeBlock(readNode(other)).bytes).toEqual(other)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidBlockError)
          }
        })
      )
    }
  })

  it('refuses any bytes, and blocks that are too long, without another error', () => {
    assert(
      property(uint8Array({ minLength: 3, maxLength: 300 }), (bytes) => {
        try {
          expect(nodeBlock(readNode(bytes)).bytes).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidBlockError)
        }
      })
    )
    // Half a million links that say nothing.
    const many = new Uint8Array(maxNodeBytes).map((_, index) => (index % 2 === 0 ? 0x12 : 0))
    expect(() => readNode(many)).toThrow(InvalidBlockError)
  })

  it('takes the largest folder that is not spread, and none that takes longer to read', () => {
    const names = Array.from({ length: 14_000 }, (_, index) =>
      String.fromCharCode(0x21 + (index % 90), 0x21 + index / 90)
    )
    const parts = names.map((name) => ({ ...rawBlock(Buffer.from(name)), name, treeBytes: Number.MAX_SAFE_INTEGER }))
    let count = 6_000
    while (!standardSettings.isLarge(parts.slice(0, count + 1))) count++
    const largest = parts.slice(0, count)
    const folder = (entries: readonly Part[]): Uint8Array => nodeBlock({ type: 'folder', parts: entries }).bytes
    expect(largest.length).toBeGreaterThan(6_000)
    expect(readNode(folder(largest))).toMatchObject({ type: 'folder', parts: { length: largest.length } })
    expect(() => readNode(folder(parts))).toThrow(`more than ${maxNodeBytes} bytes`)
  })

  it('refuses what it does not know: a mode, a time, a kind, data without one, and sizes that no number holds', () => {
    const data = (...bytes: number[]): Uint8Array => Uint8Array.of(0x0a, bytes.length, ...bytes)
    expect(readNode(data(8, 1))).toEqual({ type: 'folder', parts: [] })
    const file = [8, 2, 0x18, 1, 0x20, 1]
    const others = [
      data(8, 1, 0x38, 1),
      data(8, 1, 0x42, 2, 8, 1),
      data(8, 0),
      data(8, 3),
      data(8, 6),
      data(),
      data(...file)
    ]
    const huge = [0x18, ...Array.from({ length: 7 }, () => 0x80), 0x40]
    for (const other of [...others, data(8, 2, ...huge), new Uint8Array()])
      expect(() => readNode(other)).toThrow(InvalidBlockError)
  })

  it.each([0o755, 0o644])('takes the mode %i of a file', (mode) => {
    const content: Content = { type: 'bytes', bytes: Uint8Array.of(1), mode }
    expect(readNode(nodeBlock(content).bytes)).toEqual(content)
  })

  it.each<[number, Content]>([
    [0o4755, { type: 'bytes', bytes: Uint8Array.of(1) }],
    [0o666, { type: 'bytes', bytes: Uint8Array.of(1) }],
    [0, { type: 'file', parts: [part('')], sizes: [4], size: 4 }],
    [0o777, { type: 'folder', parts: [] }],
    [0o644, { type: 'folder', parts: [] }],
    [0o755, { type: 'symlink', target: Uint8Array.of(1) }]
  ])('refuses the mode %i: who may write, and whose rights a program has, nobody says', (mode, content) => {
    expect(readNode(nodeBlock(content).bytes)).toEqual(content)
    expect(() => readNode(nodeBlock({ ...content, mode }).bytes)).toThrow('mode')
  })

  it.each<[string, Content]>([
    ['no parts', { type: 'file', parts: [], sizes: [], size: 4 }],
    ['a part without a size', { type: 'file', parts: [part(''), part('')], sizes: [4], size: 4 }],
    ['an empty part', { type: 'file', parts: [part(''), part('')], sizes: [4, 0], size: 4 }],
    ['another size', { type: 'file', parts: [part('')], sizes: [4], size: 5 }],
    ['a name', { type: 'file', parts: [part('a')], sizes: [4], size: 4 }]
  ])('refuses a file with %s', (_, content) => {
    expect(() => readNode(nodeBlock(content).bytes)).toThrow(InvalidBlockError)
  })

  it('refuses links that are no CID of version 1 with a SHA-256', () => {
    const cid = encodeLink(leaf)
    expect(decodeLink(cid)).toEqual({ codec: 'raw', digest: leaf.digest })
    const others = [0, 1, 2, 3].map((at) => cid.map((byte, index) => (index === at ? byte ^ 0x21 : byte)))
    for (const other of [...others, cid.slice(1), new Uint8Array(), Uint8Array.from([...cid, 0])])
      expect(() => decodeLink(other)).toThrow(InvalidBlockError)
  })
})
