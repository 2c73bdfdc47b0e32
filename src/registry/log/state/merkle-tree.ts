import { concat } from 'uint8arrays/concat'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { byteAt } from '../../../identity/bytes.ts'
import { sha256 } from '../../../identity/hash.ts'

/** Buckets of a tree: the top 12 bits of a row's key hash say which one it is in. */
export const bucketCount = 4096
/** Bytes of each bucket hash that the anti-entropy digest shows. */
export const bucketDigestBytes = 8

/** Tables whose rows share one tree. The tag, with a zero byte behind it, stands before the key when it is hashed. */
export type StateTag =
  | 'members'
  | 'revoked'
  | 'names'
  | 'registries'
  | 'log-keys'
  | 'authority'
  | 'publishers'
  | 'documents'
  | 'policy'
  | 'grants'
  | 'operators'
  | 'records'

const hashBytes = 32
const rowBytes = 2 * hashBytes
const levels = 12
/** Before what is hashed, so that a bucket can never be taken for a node. */
const bucketPrefix = 0x00
const nodePrefix = 0x01

const tagBytes = new Map<StateTag, Uint8Array>()

function prefixOf(tag: StateTag): Uint8Array {
  let prefix = tagBytes.get(tag)
  if (prefix === undefined) {
    prefix = fromString(`${tag}\0`)
    tagBytes.set(tag, prefix)
  }
  return prefix
}

/** SHA-256(tag ‖ 0 ‖ key): the place of a row. */
export function keyHashOf(tag: StateTag, key: Uint8Array): Uint8Array {
  const prefix = prefixOf(tag)
  const bytes = new Uint8Array(prefix.length + key.length)
  bytes.set(prefix)
  bytes.set(key, prefix.length)
  return sha256(bytes)
}

const bucketOfHash = (keyHash: Uint8Array): number => (byteAt(keyHash, 0) << 4) | (byteAt(keyHash, 1) >> 4)

/** The bucket that a row of this key is in. */
export const bucketOf = (tag: StateTag, key: Uint8Array): number => bucketOfHash(keyHashOf(tag, key))

/** Sorted rows of 64 bytes (key hash, value hash) behind one byte of prefix, so that the used part is hashed as it stands. */
class Bucket {
  #bytes = new Uint8Array(1 + rowBytes)
  #rows = 0

  get content(): Uint8Array {
    return this.#bytes.subarray(0, 1 + this.#rows * rowBytes)
  }

  /** Puts the row, or takes it away without a value hash; gives the value hash before. */
  set(keyHash: Uint8Array, valueHash: Uint8Array | undefined): Uint8Array | undefined {
    const row = this.#lowerBound(keyHash)
    const at = 1 + row * rowBytes
    const isThere = row < this.#rows && this.#compare(row, keyHash) === 0
    const before = isThere ? this.#bytes.slice(at + hashBytes, at + rowBytes) : undefined
    if (valueHash === undefined) {
      if (isThere) this.#remove(at)
    } else {
      if (!isThere) this.#insert(at, keyHash)
      this.#bytes.set(valueHash, at + hashBytes)
    }
    return before
  }

  #remove(at: number): void {
    this.#bytes.copyWithin(at, at + rowBytes, 1 + this.#rows * rowBytes)
    this.#rows--
  }

  #insert(at: number, keyHash: Uint8Array): void {
    const used = 1 + this.#rows * rowBytes
    if (used + rowBytes > this.#bytes.length) {
      const grown = new Uint8Array(1 + Math.max(this.#rows + 1, this.#rows * 2) * rowBytes)
      grown.set(this.#bytes.subarray(0, used))
      this.#bytes = grown
    }
    this.#bytes.copyWithin(at + rowBytes, at, used)
    this.#bytes.set(keyHash, at)
    this.#rows++
  }

  #lowerBound(keyHash: Uint8Array): number {
    let low = 0
    let high = this.#rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(middle, keyHash) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #compare(row: number, keyHash: Uint8Array): number {
    const bytes = this.#bytes
    const start = 1 + row * rowBytes
    // The first byte is the same throughout a bucket.
    for (let i = 1; i < hashBytes; i++) {
      const difference = byteAt(bytes, start + i) - byteAt(keyHash, i)
      if (difference !== 0) return difference
    }
    return 0
  }
}

/** All rows of one bucket, and the hashes beside the way from it to the root. */
export interface RowWitness {
  /** key hash ‖ value hash, one row after the other. */
  readonly rows: Uint8Array
  /** From the bucket upwards. */
  readonly path: readonly Uint8Array[]
}

/**
 * Tells whether a state has exactly this row. undefined: the witness is not of that root, and shows nothing.
 */
export function hasRow(
  root: Uint8Array,
  { tag, key, value }: { tag: StateTag; key: Uint8Array; value: Uint8Array },
  { rows, path }: RowWitness
): boolean | undefined {
  if (path.length !== levels || rows.length % rowBytes !== 0) return undefined
  let digest = sha256(concat([Uint8Array.of(bucketPrefix), rows]))
  let node = bucketCount + bucketOf(tag, key)
  for (const beside of path) {
    const pair = node % 2 === 0 ? [digest, beside] : [beside, digest]
    digest = sha256(concat([Uint8Array.of(nodePrefix), ...pair]))
    node >>>= 1
  }
  if (!equals(digest, root)) return undefined
  const wanted = concat([keyHashOf(tag, key), sha256(value)])
  for (let at = 0; at < rows.length; at += rowBytes) {
    if (equals(rows.subarray(at, at + rowBytes), wanted)) return true
  }
  return false
}

const emptyBucketHash = sha256(Uint8Array.of(bucketPrefix))

/** Hashes of an empty tree as a heap: node 1 is the root, node i has the children 2i and 2i + 1, buckets are the last 4,096. */
const emptyNodes = ((): Uint8Array => {
  const nodes = new Uint8Array(2 * bucketCount * hashBytes)
  let digest = emptyBucketHash
  for (let level = levels; level >= 0; level--) {
    for (let node = 1 << level; node < 2 << level; node++) nodes.set(digest, node * hashBytes)
    const pair = new Uint8Array(1 + rowBytes)
    pair.set([nodePrefix])
    pair.set(digest, 1)
    pair.set(digest, 1 + hashBytes)
    digest = sha256(pair)
  }
  return nodes
})()

/**
 * Commits to a set of rows with one hash that does not depend on the order in which they came, and is cheap to keep up to date: a
 * change costs one bucket and twelve nodes. Bucket hash: SHA-256(0 ‖ sorted rows of key hash ‖ value hash); node: SHA-256(1 ‖ left ‖
 * right). test/fixtures/vectors/state-root.json fixes the format.
 */
export class MerkleTree {
  readonly #buckets = new Map<number, Bucket>()
  readonly #nodes = emptyNodes.slice()
  /** Buckets that changed since the last root. */
  readonly #dirty = new Map<number, Bucket>()

  /** Gives the hash of the value before; undefined: there was none. */
  put(tag: StateTag, key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
    return this.#set(keyHashOf(tag, key), sha256(value))
  }

  /** Gives the hash of the value before; undefined: there was none. */
  delete(tag: StateTag, key: Uint8Array): Uint8Array | undefined {
    return this.#set(keyHashOf(tag, key), undefined)
  }

  /** Takes back a `put` or a `delete` with what it gave. */
  restore(tag: StateTag, key: Uint8Array, before: Uint8Array | undefined): void {
    this.#set(keyHashOf(tag, key), before)
  }

  /** 32 bytes. */
  root(): Uint8Array {
    let nodes = this.#hashBuckets()
    while (nodes.size > 0 && !nodes.has(0)) {
      const parents = new Set<number>()
      for (const node of nodes) {
        this.#hashNode(node)
        parents.add(node >>> 1)
      }
      nodes = parents
    }
    return this.#nodes.slice(hashBytes, rowBytes)
  }

  /** The first 8 bytes of each bucket hash: where two trees differ, so does this. */
  bucketDigests(): Uint8Array {
    this.root()
    const digests = new Uint8Array(bucketCount * bucketDigestBytes)
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const at = (bucketCount + bucket) * hashBytes
      digests.set(this.#nodes.subarray(at, at + bucketDigestBytes), bucket * bucketDigestBytes)
    }
    return digests
  }

  /** Shows what the root says of a row, to whoever has only the root. */
  witness(tag: StateTag, key: Uint8Array): RowWitness {
    this.root()
    const index = bucketOf(tag, key)
    const path: Uint8Array[] = []
    for (let node = bucketCount + index; node > 1; node >>>= 1) {
      const beside = node ^ 1
      path.push(this.#nodes.slice(beside * hashBytes, (beside + 1) * hashBytes))
    }
    const rows = this.#buckets.get(index)?.content.slice(1) ?? new Uint8Array()
    return { rows, path }
  }

  #set(keyHash: Uint8Array, valueHash: Uint8Array | undefined): Uint8Array | undefined {
    const index = bucketOfHash(keyHash)
    let bucket = this.#buckets.get(index)
    if (bucket === undefined) {
      bucket = new Bucket()
      this.#buckets.set(index, bucket)
    }
    this.#dirty.set(index, bucket)
    return bucket.set(keyHash, valueHash)
  }

  /** Gives the parents of the buckets that changed. */
  #hashBuckets(): Set<number> {
    const parents = new Set<number>()
    for (const [index, bucket] of this.#dirty) {
      const node = bucketCount + index
      this.#nodes.set(sha256(bucket.content), node * hashBytes)
      parents.add(node >>> 1)
    }
    this.#dirty.clear()
    return parents
  }

  #hashNode(node: number): void {
    const children = this.#nodes.subarray(2 * node * hashBytes, 2 * (node + 1) * hashBytes)
    const bytes = new Uint8Array(1 + rowBytes)
    bytes[0] = nodePrefix
    bytes.set(children, 1)
    this.#nodes.set(sha256(bytes), node * hashBytes)
  }
}
