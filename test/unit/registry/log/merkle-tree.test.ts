import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { sha256 } from '../../../../src/identity/hash.ts'
import {
  bucketCount,
  bucketOf,
  hasRow,
  keyHashOf,
  MerkleTree,
  type StateTag
} from '../../../../src/registry/log/state/merkle-tree.ts'

const bytes = z.string().transform((hex) => fromString(hex, 'hex'))
const tag = z.custom<StateTag>((value) => typeof value === 'string')
const vectors = z.array(
  z.object({ name: z.string(), rows: z.array(z.object({ tag, key: bytes, value: bytes })), root: z.string() })
)

const recorded = vectors.parse(
  JSON.parse(readFileSync(new URL('../../../fixtures/vectors/state-root.json', import.meta.url), 'utf8'))
)

const anyRow = fc.record({
  tag: fc.constantFrom<StateTag>('members', 'revoked', 'names', 'records'),
  key: fc.uint8Array({ minLength: 1, maxLength: 2 }),
  value: fc.uint8Array({ maxLength: 4 })
})
type Row = { tag: StateTag; key: Uint8Array; value: Uint8Array }
const idOf = ({ tag: table, key }: Row): string => `${table}/${text(key, 'hex')}`

/** The format once more, as the page of the log describes it: slow and plain. */
function plainRoot(rows: readonly Row[]): Uint8Array {
  const buckets: string[][] = Array.from({ length: bucketCount }, () => [])
  for (const row of new Map(rows.map((each) => [idOf(each), each])).values()) {
    const keyHash = sha256(Buffer.concat([Buffer.from(`${row.tag}\0`), row.key]))
    const bucket = Buffer.from(keyHash).readUInt16BE(0) >> 4
    buckets[bucket]?.push(text(keyHash, 'hex') + text(sha256(row.value), 'hex'))
  }
  let level = buckets.map((pairs) => sha256(fromString(`00${pairs.toSorted().join('')}`, 'hex')))
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) =>
      sha256(Buffer.concat([Uint8Array.of(1), level[2 * i] ?? Buffer.alloc(0), level[2 * i + 1] ?? Buffer.alloc(0)]))
    )
  }
  return level[0] ?? Buffer.alloc(0)
}

const treeOf = (rows: readonly Row[]): MerkleTree => {
  const tree = new MerkleTree()
  for (const row of rows) tree.put(row.tag, row.key, row.value)
  return tree
}

describe('StateTree', () => {
  it.each(recorded)('has the recorded root: $name', ({ rows, root }) => {
    expect(text(treeOf(rows).root(), 'hex')).toBe(root)
    expect(text(plainRoot(rows), 'hex')).toBe(root)
  })

  it('has the root that the format says', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 20 }), (rows) => {
        expect(treeOf(rows).root()).toEqual(plainRoot(rows))
      }),
      { numRuns: 20 }
    )
  })

  it('does not depend on the order of rows, nor on what was there in between', () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(anyRow, { maxLength: 40, selector: idOf })
          .chain((rows) =>
            fc.tuple(
              fc.constant(rows),
              fc.shuffledSubarray(rows, { minLength: rows.length }),
              fc.array(anyRow, { maxLength: 20 })
            )
          ),
        ([rows, shuffled, passing]) => {
          const tree = treeOf(passing)
          tree.root()
          for (const row of passing) tree.delete(row.tag, row.key)
          for (const row of shuffled) tree.put(row.tag, row.key, row.value)
          expect(tree.root()).toEqual(treeOf(rows).root())
        }
      )
    )
  })

  it('comes back to a root when changes are taken back', () => {
    fc.assert(
      fc.property(fc.array(anyRow), fc.array(fc.tuple(anyRow, fc.boolean())), (rows, changes) => {
        const tree = treeOf(rows)
        const before = tree.root()
        const undo: (() => void)[] = []
        for (const [row, isDelete] of changes) {
          const was = isDelete ? tree.delete(row.tag, row.key) : tree.put(row.tag, row.key, row.value)
          undo.push(() => tree.restore(row.tag, row.key, was))
        }
        tree.root()
        for (const step of undo.toReversed()) step()
        expect(tree.root()).toEqual(before)
      })
    )
  })

  it('differs in exactly the bucket of a row that differs', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyRow, { selector: idOf, minLength: 1 }), (rows) => {
        const [first] = rows
        if (first === undefined) return
        const one = treeOf(rows)
        const other = treeOf(rows)
        other.put(first.tag, first.key, Uint8Array.of(1, 2, 3, 4, 5))
        const [a, b] = [one.bucketDigests(), other.bucketDigests()]
        expect(a).toHaveLength(bucketCount * 8)
        const differing = new Set<number>()
        for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) differing.add(i >> 3)
        expect([...differing]).toEqual([bucketOf(first.tag, first.key)])
      })
    )
  })

  it('gives the hash of the value that was there', () => {
    const tree = new MerkleTree()
    const key = Uint8Array.of(7)
    expect(tree.put('names', key, Uint8Array.of(1))).toBeUndefined()
    expect(tree.put('names', key, Uint8Array.of(2))).toEqual(sha256(Uint8Array.of(1)))
    expect(tree.delete('names', key)).toEqual(sha256(Uint8Array.of(2)))
    expect(tree.delete('names', key)).toBeUndefined()
    expect(keyHashOf('names', key)).not.toEqual(keyHashOf('members', key))
  })
})

describe('the witness of a row', () => {
  it('tells what is in a bucket with others, and what is not', () => {
    const numbered = (number: number): Uint8Array => sha256(Uint8Array.of(number >> 8, number & 255))
    const first = numbered(0)
    // Two keys of one bucket, which takes some of 4,096 to find.
    const shared = Array.from({ length: 60_000 }, (_, number) => numbered(number)).filter(
      (key) => bucketOf('members', key) === bucketOf('members', first)
    )
    expect(shared.length).toBeGreaterThan(2)
    const tree = new MerkleTree()
    const held = shared.slice(0, -1)
    for (const key of held) tree.put('members', key, key)
    const root = tree.root()
    for (const key of held)
      expect(hasRow(root, { tag: 'members', key, value: key }, tree.witness('members', key))).toBe(true)
    const last = shared.at(-1) ?? first
    expect(hasRow(root, { tag: 'members', key: last, value: last }, tree.witness('members', last))).toBe(false)
    expect(hasRow(root, { tag: 'members', key: first, value: last }, tree.witness('members', first))).toBe(false)
  })
})
