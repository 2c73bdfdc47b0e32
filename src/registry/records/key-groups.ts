import { keyId } from '../../identity/key-id.ts'
import { KeyOrder } from './sorted-keys.ts'

/** Public keys by what they have in common, each group in ascending order. A key is in one group at a time. */
export class KeyGroups<Group> {
  readonly #orders = new Map<Group, KeyOrder>()
  readonly #groupOf = new Map<string, Group>()

  /** Moves the key to a group; undefined: to none. */
  put(publicKey: Uint8Array, group: Group | undefined): void {
    const id = keyId(publicKey)
    const before = this.#groupOf.get(id)
    if (before === group) return
    if (before !== undefined) this.#orders.get(before)?.delete(publicKey)
    if (group === undefined) {
      this.#groupOf.delete(id)
      return
    }
    this.#groupOf.set(id, group)
    const order = this.#orders.get(group) ?? new KeyOrder()
    this.#orders.set(group, order)
    order.add(publicKey)
  }

  /** Keys of the group above `after`, ascending. */
  after(group: Group, after: Uint8Array | undefined, limit: number): Uint8Array[] {
    return this.#orders.get(group)?.after(after, limit) ?? []
  }
}
