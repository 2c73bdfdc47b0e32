import { concat } from 'uint8arrays/concat'
import { at } from '../../identity/bytes.ts'
import { checkCount, checkHash, checkName } from '../../identity/checked-bytes.ts'
import { InvalidPayloadError } from '../../runtime/errors.ts'
import { RecordAdditions as RecordAdditionsMessage } from '../pb/registry.ts'
import { fieldsOf } from './encoding/canonical.ts'
import { decodeStrictly } from './signed.ts'

/** A store of which a node has blocks, or fetches them: its own, or another's. */
export interface RecordStore {
  /** A label of DNS. The manifest says of whom it is. */
  name: string
  /** SHA-256 of the envelope of its manifest. */
  digest: Uint8Array
}

/** The fields that a record has behind those of its first version. */
export interface RecordAdditions {
  /** Ascending by name. */
  stores?: RecordStore[]
}

export const maxRecordStores = 8
const storesField = 16

/** @throws InvalidPayloadError */
export function checkAdditions({ stores }: RecordAdditions): void {
  if (stores !== undefined) checkStores(stores)
}

function checkStores(stores: readonly RecordStore[]): void {
  checkCount(stores.length, 1, maxRecordStores, 'number of stores of the record')
  for (const [index, { name, digest }] of stores.entries()) {
    checkName(name, 'name of a store of the record')
    checkHash(digest, `digest of store ${name}`)
    // A label has ASCII alone, whose order is that of its bytes.
    if (index > 0 && at(stores, index - 1).name >= name)
      throw new InvalidPayloadError('stores of the record must ascend, each once')
  }
}

/** Reads them from the payload of a record. What is not as it should be counts as absent: a program that does not know it takes the record. */
export function additionsOf(payload: Uint8Array): RecordAdditions {
  const bytes = fieldsOf(payload, storesField)
  if (bytes.length === 0) return {}
  try {
    const additions = decodeStrictly(RecordAdditionsMessage, bytes, 'addition to the record')
    checkAdditions(additions)
    return additions
  } catch {
    return {}
  }
}

/** The payload of a record: its first fields, and behind them these. */
export function withAdditions(payload: Uint8Array, { stores = [] }: RecordAdditions): Uint8Array {
  const more = RecordAdditionsMessage.encode({ stores })
  return more.length === 0 ? payload : concat([payload, more])
}
