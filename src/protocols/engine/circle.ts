/**
 * Bounds with how many peers a service deals: those that came first. The others wait, connected but unknown to the service, until one
 * leaves. Bounded by the connections.
 */
export class Circle {
  readonly #most: number
  readonly #inside = new Set<string>()
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#inside.size
  }

  /** Whether the peer is inside, where it goes if there is room. */
  enter(id: string): boolean {
    if (this.#inside.has(id)) return true
    if (this.#inside.size >= this.#most) return false
    this.#inside.add(id)
    return true
  }

  /** Calls back when the peer has been let in. */
  wait(id: string, entered: () => void): void {
    const callbacks = this.#waiting.get(id)
    if (callbacks === undefined) this.#waiting.set(id, [entered])
    else callbacks.push(entered)
  }

  /** The peer is gone; who has waited longest takes its place. */
  leave(id: string): void {
    this.#waiting.delete(id)
    if (!this.#inside.delete(id)) return
    const next = this.#waiting.entries().next()
    if (next.done === true) return
    const [nextId, callbacks] = next.value
    this.#waiting.delete(nextId)
    this.#inside.add(nextId)
    for (const entered of callbacks) entered()
  }
}
