import { createHash } from 'node:crypto'
import { keyId } from '../../identity/key-id.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'

interface Known {
  content: string
  /** Change number at which the content last differed. */
  changedAt: number
}

/**
 * Tells a record that says something new from one that is only signed again with a higher seq. Bounded by the members: only their
 * records are stored. A record that was not seen since the start counts as new, once.
 */
export class RecordContents {
  readonly #known = new Map<string, Known>()

  /** Notes an accepted record; true: it says something new. */
  note(record: NodeRecord, change: number): boolean {
    const id = keyId(record.publicKey)
    const content = contentOf(record)
    const known = this.#known.get(id)
    if (known?.content === content) return false
    this.#known.set(id, { content, changedAt: change })
    return true
  }

  /** True when a reader at `position` has seen all that the record says. */
  saysNothingNew(publicKey: Uint8Array, position: number): boolean {
    const known = this.#known.get(keyId(publicKey))
    return known !== undefined && known.changedAt <= position
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
