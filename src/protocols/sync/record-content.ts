import { createHash } from 'node:crypto'
import { keyId } from '../../identity/key-id.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'

interface Known {
  content: string
  seq: number
  /** Change number at which the content last differed. */
  changedAt: number
}

/**
 * Tells a record that says something new from one that is only signed again with the next seq: what a record in between said may be known
 * elsewhere. Bounded by the members: only their records are stored. A record that was not seen since the start counts as new, once.
 */
export class RecordContents {
  readonly #known = new Map<string, Known>()

  /** Notes an accepted record; true: it says something new. */
  note(record: NodeRecord, change: number): boolean {
    const id = keyId(record.publicKey)
    const content = contentOf(record)
    const known = this.#known.get(id)
    const isNew = known?.content !== content || record.seq !== known.seq + 1
    this.#known.set(id, { content, seq: record.seq, changedAt: isNew ? change : known.changedAt })
    return isNew
  }

  /** True when a reader at `position` has seen all that the record with this seq says. */
  saysNothingNew({ publicKey, seq }: { publicKey: Uint8Array; seq: number }, position: number): boolean {
    const known = this.#known.get(keyId(publicKey))
    return known !== undefined && seq <= known.seq && known.changedAt <= position
  }

  forget(publicKey: Uint8Array): void {
    this.#known.delete(keyId(publicKey))
  }
}

function contentOf({
  seq: _seq,
  issuedMs: _issued,
  networkId: _network,
  publicKey: _key,
  ...content
}: NodeRecord): string {
  const registryKey = content.registryKey === undefined ? '' : keyId(content.registryKey)
  const text = JSON.stringify({ ...content, registryKey })
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}
