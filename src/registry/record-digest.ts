import { concat } from 'uint8arrays/concat'
import { StateTree } from './state-tree.ts'
import type { RecordTable } from './store/record-table.ts'

/** seq (u64, big endian) ‖ hash: what two stores must have in common. */
const digestValue = (seq: number, hash: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seq))
  return concat([bytes, hash])
}

/** The anti-entropy digest of all records. It is built when it is first asked for, and kept up to date from then on. */
export class RecordDigest {
  readonly #table: RecordTable
  #tree: StateTree | undefined

  constructor(table: RecordTable) {
    this.#table = table
  }

  put(publicKey: Uint8Array, seq: number, hash: Uint8Array): void {
    this.#tree?.put('records', publicKey, digestValue(seq, hash))
  }

  delete(publicKey: Uint8Array): void {
    this.#tree?.delete('records', publicKey)
  }

  /** 4,096 bucket digests of 8 bytes. */
  bytes(): Uint8Array {
    if (this.#tree === undefined) {
      this.#tree = new StateTree()
      for (const { publicKey, seq, hash } of this.#table.positions()) this.put(publicKey, seq, hash)
    }
    return this.#tree.bucketDigests()
  }
}
