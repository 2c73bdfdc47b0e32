import { setImmediate as nextTurn } from 'node:timers/promises'
import { concat } from 'uint8arrays/concat'
import { MerkleTree } from '../log/state/merkle-tree.ts'
import type { RecordTable } from '../store/record-table.ts'

/** seq (u64, big endian) ‖ hash: what two stores must have in common. */
const digestValue = (seq: number, hash: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seq))
  return concat([bytes, hash])
}

/** Records between two turns of the event loop: about 5 ms. */
const sliceRows = 1_000

/** The anti-entropy digest of all records. It is built when it is first asked for, and kept up to date from then on. */
export class RecordDigest {
  readonly #table: RecordTable
  #tree: MerkleTree | undefined
  /** Progress of reading the store into the tree; undefined: it has all. Later writes come by `put`. */
  #behind: number | undefined = 0
  #building: Promise<void> | undefined

  constructor(table: RecordTable) {
    this.#table = table
  }

  put(publicKey: Uint8Array, seq: number, hash: Uint8Array): void {
    this.#tree?.put('records', publicKey, digestValue(seq, hash))
  }

  delete(publicKey: Uint8Array): void {
    this.#tree?.delete('records', publicKey)
  }

  /** Builds it with turns of the event loop in between, so that `bytes` need not: 100,000 records take half a second. */
  async prepare(): Promise<void> {
    this.#building ??= this.#build().finally(() => {
      this.#building = undefined
    })
    await this.#building
  }

  async #build(): Promise<void> {
    while (this.#takeSlice()) await nextTurn()
  }

  /** 4,096 bucket digests of 8 bytes. */
  bytes(): Uint8Array {
    while (this.#takeSlice());
    return this.#treeNow().bucketDigests()
  }

  /** false: that was the last one. */
  #takeSlice(): boolean {
    if (this.#behind === undefined) return false
    const tree = this.#treeNow()
    const rows = this.#table.positionsAfter(this.#behind, sliceRows)
    for (const { publicKey, seq, hash } of rows) tree.put('records', publicKey, digestValue(seq, hash))
    this.#behind = rows.length < sliceRows ? undefined : rows.at(-1)?.change
    return this.#behind !== undefined
  }

  #treeNow(): MerkleTree {
    this.#tree ??= new MerkleTree()
    return this.#tree
  }
}
