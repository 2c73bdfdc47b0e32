import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { NodeTable } from '../store/node-table.ts'
import type { ObservedMember } from './member.ts'
import type { ViewTimes } from './view.ts'

/** Rows of one transaction, so that a large network does not hold the event loop. */
const rowsPerWrite = 500

export interface MemberRowsInit {
  readonly table: Pick<NodeTable, 'put' | 'putPeers' | 'delete'>
  readonly write: <T>(run: () => T) => Promise<T>
  readonly logger: Logger
  /** The member that has this id by now. */
  readonly current: (id: string) => ObservedMember | undefined
  readonly times: () => ViewTimes
}

/** Writes what was observed of members in batches. */
export class MemberRows {
  readonly #init: MemberRowsInit
  readonly #dirty = new Set<ObservedMember>()
  /** Former members whose rows are still there. */
  readonly #forgotten = new Map<string, ObservedMember>()
  #saving: Promise<void> = Promise.resolve()

  constructor(init: MemberRowsInit) {
    this.#init = init
  }

  changed(member: ObservedMember): void {
    this.#dirty.add(member)
  }

  forgotten(member: ObservedMember): void {
    this.#dirty.delete(member)
    this.#forgotten.set(member.id, member)
  }

  /** A failure is logged, and what it lost is written with the next batch. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveDirty())
    return this.#saving
  }

  async #saveDirty(): Promise<void> {
    const members = [...this.#forgotten.values(), ...this.#dirty]
    this.#forgotten.clear()
    this.#dirty.clear()
    for (let from = 0; from < members.length; from += rowsPerWrite) {
      try {
        await this.#init.write(() => this.#putRows(members.slice(from, from + rowsPerWrite)))
      } catch (error) {
        this.#keepForLater(members.slice(from))
        this.#init.logger.warn(
          { error: String(error), rows: members.length - from },
          'Observations of members could not be written; they are kept in memory and tried again with the next batch'
        )
        return
      }
    }
  }

  #keepForLater(members: readonly ObservedMember[]): void {
    for (const member of members) {
      member.connectedUnsaved = true
      if (this.#init.current(member.id) === member) this.#dirty.add(member)
      else this.#forgotten.set(member.id, member)
    }
  }

  #putRows(members: readonly ObservedMember[]): void {
    const { table, times, current } = this.#init
    const { now, wall, awake } = times()
    for (const member of members) {
      const known = current(member.id)
      if (known === undefined) table.delete(member.publicKey)
      // Forgotten, and admitted again since: the newer one has a place in a batch of its own.
      if (known !== member) continue
      member.count(awake)
      table.put(member.toRow(wall - now))
      if (!member.connectedUnsaved) continue
      table.putPeers(member.publicKey, member.connected.values())
      member.connectedUnsaved = false
    }
  }
}
