import { toString as text } from 'uint8arrays/to-string'
import type { Replica } from '../../../src/registry/log/replica.ts'

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')

/** All that any process showed of the log: one history. */
export class Audit {
  readonly #seen = new Map<string, string>()
  #violation: string | undefined

  /** Listens to one life of a process: what its store tells, others may have been told. */
  follow(name: string, replica: Replica): void {
    replica.events.addEventListener('entries', ({ detail }) => {
      for (const { value, hash } of detail.entries) this.#once(name, `entry ${value.epoch}:${value.n}`, hash)
    })
    replica.events.addEventListener('checkpoint', ({ detail }) => {
      const { epoch, n, headHash, stateRoot } = detail.checkpoint.value
      this.#once(name, `head ${epoch}:${n}`, headHash)
      this.#once(name, `state ${epoch}:${n}`, stateRoot)
    })
    replica.events.addEventListener('fork', ({ detail }) => {
      this.#violation ??= `${name} holds a proof of two histories at ${detail.epoch}:${detail.n}`
    })
  }

  /** @throws Error for the first thing that was wrong */
  check(): void {
    if (this.#violation !== undefined) throw new Error(this.#violation)
  }

  #once(name: string, what: string, hash: Uint8Array): void {
    const before = this.#seen.get(what)
    if (before !== undefined && before !== hex(hash)) this.#violation ??= `${name} shows another ${what}`
    this.#seen.set(what, hex(hash))
  }
}
