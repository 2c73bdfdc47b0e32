/** Steps that take back changes in memory whose commit may still fail. */
export class Journal {
  #undo: (() => void)[] = []
  #isRecording = false

  /** From here on every change is kept until `settle` or `undoTo`. */
  start(): void {
    this.#undo = []
    this.#isRecording = true
  }

  /** The changes are durable. */
  settle(): void {
    this.#undo = []
    this.#isRecording = false
  }

  get isRecording(): boolean {
    return this.#isRecording
  }

  record(undo: () => void): void {
    if (this.#isRecording) this.#undo.push(undo)
  }

  /** A point to go back to. */
  mark(): number {
    return this.#undo.length
  }

  /** Takes back what came after the mark, newest first. */
  undoTo(mark: number): void {
    for (const undo of this.#undo.splice(mark).toReversed()) undo()
  }
}

/** A Map that tells the journal how to take back each change. Values are replaced, never changed in place. */
export class JournaledMap<K, V extends object> {
  readonly #map = new Map<K, V>()
  readonly #journal: Journal

  constructor(journal: Journal) {
    this.#journal = journal
  }

  get size(): number {
    return this.#map.size
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  values(): IterableIterator<V> {
    return this.#map.values()
  }

  set(key: K, value: V): void {
    this.#change(key, value)
  }

  delete(key: K): void {
    this.#change(key, undefined)
  }

  #change(key: K, value: V | undefined): void {
    if (this.#journal.isRecording) {
      const before = this.#map.get(key)
      this.#journal.record(() => this.#put(key, before))
    }
    this.#put(key, value)
  }

  #put(key: K, value: V | undefined): void {
    if (value === undefined) this.#map.delete(key)
    else this.#map.set(key, value)
  }
}
