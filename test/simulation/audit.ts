import { toString as text } from 'uint8arrays/to-string'
import type { Checkpoint } from '../../src/registry/objects/checkpoint.ts'
import type { LogEntry } from '../../src/registry/objects/entry.ts'
import type { Signed } from '../../src/registry/objects/envelope.ts'
import { compareRecords, type NodeRecord } from '../../src/registry/objects/record.ts'
import type { Life, Machine } from './machine.ts'

/** Where an entry stands. */
export interface Position {
  epoch: number
  n: number
}

export interface Membership extends Position {
  kind: 'admit' | 'end'
}

interface Revoked {
  publicKey: Uint8Array
  epoch: number
}

interface RecordOrder {
  seq: number
  hash: Uint8Array
}

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')

/** True for a position that is the same or a later one. */
const isAtLeast = (a: Position, b: Position): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.n >= b.n)

/** What must hold at every moment, whatever happens. Throws at the first thing that does not. */
export class Audit {
  /** The first thing that was seen to be wrong. */
  #violation: string | undefined
  /** Whatever of the log left a process: one hash for one n of one epoch. */
  readonly #signed = new Map<string, string>()
  readonly #roots = new Map<string, string>()
  readonly #heads = new Map<Machine, Position>()
  readonly #records = new Map<Machine, Map<string, RecordOrder>>()
  readonly #revoked = new Map<Machine, Map<string, Revoked>>()

  readonly #memberships = new Map<string, Membership[]>()

  /** What the log says last of the membership of a key. */
  lastOf(publicKey: Uint8Array, isVoid: (position: Position) => boolean): Membership | undefined {
    const known = this.#memberships.get(hex(publicKey)) ?? []
    return known.filter((each) => !isVoid(each)).toSorted((a, b) => b.n - a.n)[0]
  }

  /** Listens to one life of a machine. What it tells, it has told others. */
  follow(machine: Machine, { registry }: Life): void {
    this.#position(machine)
    registry.replica.events.addEventListener('entries', ({ detail }) => {
      for (const entry of detail.entries) this.#entry(machine, entry)
    })
    registry.replica.events.addEventListener('checkpoint', ({ detail }) => this.#checkpoint(detail.checkpoint))
    registry.replica.events.addEventListener('fork', ({ detail }) => {
      this.#fail(`${machine.name} holds a proof of two histories at ${detail.epoch}:${detail.n}`)
    })
    // A membership that a new epoch made void ends with its record, and may begin anew.
    registry.replica.events.addEventListener('reset', () => this.#records.delete(machine))
    registry.events.addEventListener('record', ({ detail }) => this.#record(machine, detail.record))
  }

  /** Looks at what a machine says now. */
  check(machine: Machine): void {
    this.#position(machine)
    if (this.#violation !== undefined) throw new Error(this.#violation)
    const registry = machine.process?.registry
    if (registry === undefined) return
    if (registry.replica.isForked) throw new Error(`${machine.name} says that there are two histories`)
    for (const [id, { publicKey }] of this.#revoked.get(machine) ?? []) {
      if (!registry.replica.isMember(publicKey)) continue
      throw new Error(`${machine.name} takes ${id} for a member, which was revoked there`)
    }
  }

  /** A listener must not throw: what it finds is told by the next check. */
  #fail(what: string): void {
    this.#violation ??= what
  }

  #position(machine: Machine): void {
    const head = machine.process?.registry.replica.head
    if (head === undefined) return
    const before = this.#heads.get(machine)
    if (before !== undefined && !isAtLeast(head, before)) {
      this.#fail(`${machine.name} went back from ${before.epoch}:${before.n} to ${head.epoch}:${head.n}`)
    }
    this.#heads.set(machine, { epoch: head.epoch, n: head.n })
  }

  #once(map: Map<string, string>, position: string, hash: Uint8Array, what: string): void {
    const known = map.get(position)
    if (known !== undefined && known !== hex(hash)) this.#fail(`two ${what} were signed for ${position}`)
    map.set(position, hex(hash))
  }

  #entry(machine: Machine, { value, hash }: Signed<LogEntry>): void {
    this.#once(this.#signed, `${value.epoch}:${value.n}`, hash, 'entries')
    if (value.kind === 'admit' || value.kind === 'end') this.#membership(machine, value)
    if (value.kind !== 'revoke') return
    const { publicKey } = value.body
    const revoked = this.#revoked.get(machine) ?? new Map<string, Revoked>()
    this.#revoked.set(machine, revoked.set(hex(publicKey).slice(0, 8), { publicKey, epoch: value.epoch }))
  }

  #membership(machine: Machine, { kind, body, epoch, n }: LogEntry & { kind: 'admit' | 'end' }): void {
    const id = hex(body.publicKey)
    const known = this.#memberships.get(id) ?? []
    if (!known.some((each) => each.epoch === epoch && each.n === n)) known.push({ kind, epoch, n })
    this.#memberships.set(id, known)
    if (kind === 'end') this.#records.get(machine)?.delete(id)
    // The root of a newer epoch, which made the revoke void, has decided otherwise.
    const revoked = this.#revoked.get(machine)?.get(id.slice(0, 8))
    if (kind === 'admit' && revoked !== undefined && revoked.epoch < epoch)
      this.#revoked.get(machine)?.delete(id.slice(0, 8))
  }

  #checkpoint({ value }: Signed<Checkpoint>): void {
    // A new epoch begins with its delegate entry, so a head of it is an entry of it.
    this.#once(this.#signed, `${value.epoch}:${value.n}`, value.headHash, 'heads')
    this.#once(this.#roots, `${value.epoch}:${value.n}`, value.stateRoot, 'states')
  }

  #record(machine: Machine, { value, hash }: Signed<NodeRecord>): void {
    const records = this.#records.get(machine) ?? new Map<string, RecordOrder>()
    const id = hex(value.publicKey)
    const before = records.get(id)
    if (before !== undefined && compareRecords({ seq: value.seq, hash }, before) <= 0) {
      this.#fail(`${machine.name} went back from seq ${before.seq} of a record to ${value.seq}`)
    }
    this.#records.set(machine, records.set(id, { seq: value.seq, hash }))
  }
}
