import { equals } from 'uint8arrays/equals'
import { at } from '../../identity/bytes.ts'
import { peerIdText } from '../../identity/keys.ts'
import type { Role } from '../../identity/role.ts'
import { NotFoundError, RefusedError } from '../../runtime/errors.ts'
import type { EntryDraft, Root } from '../log/log-writer.ts'
import type { Replica } from '../log/replica.ts'
import type { Member } from '../log/state/network-state.ts'
import type { EntryContent, LogEntry } from '../objects/entry.ts'
import type { Rotate } from '../objects/entry-bodies.ts'
import type { Signed } from '../objects/envelope.ts'
import type { End } from '../objects/member-entries.ts'
import { isSameGroups, sortedGroups } from '../objects/policy/groups.ts'
import type { Author } from './orders/author.ts'

export interface MemberChangesComponents {
  replica: Replica
  /** The one in whose name it is done. @throws NotRootError without one elsewhere than at the root */
  author: (given: Author | undefined) => Author
  /** @throws NotRootError elsewhere */
  root: () => Root
}

/** Values that take the place of those of the member; the rest stays. */
export interface MemberChange {
  name?: string
  role?: Role
  groups?: readonly string[]
}

/** Role of a registry once it serves no longer. */
const retiredRole = 'integrated'

/** Changes members by the operator's word, and lets them go. Each gives the entry, or undefined where all is so already. */
export class MemberChanges {
  readonly #components: MemberChangesComponents
  #turn: Promise<unknown> = Promise.resolve()

  constructor(components: MemberChangesComponents) {
    this.#components = components
  }

  /** @throws NotRootError, NotFoundError, NameTakenError, RefusedError, LogMismatchError */
  change(publicKey: Uint8Array, change: MemberChange, by?: Author): Promise<Signed<LogEntry> | undefined> {
    return this.#inTurn(by, async (author) => {
      const entry = this.#draft(publicKey, change)
      return entry === undefined ? undefined : at(await author.append([entry]), 0)
    })
  }

  /** The entry that a change would make now; undefined: all is so already. @throws NotFoundError, NameTakenError, RefusedError, LogMismatchError */
  planned(publicKey: Uint8Array, change: MemberChange): ChangeDraft | undefined {
    const { state, timeMs } = this.#components.replica
    const entry = this.#draft(publicKey, change)
    if (entry !== undefined) state.checkRules(entry, timeMs, undefined)
    return entry
  }

  #draft(publicKey: Uint8Array, change: MemberChange): ChangeDraft | undefined {
    const member = this.#member(publicKey)
    this.#requireRole(member, change.role)
    return changeOf(member, change)
  }

  /** Takes a secondary out of the set of registries: it is an ordinary member from then on. @throws as change */
  retire(publicKey: Uint8Array, by?: Author): Promise<Signed<LogEntry> | undefined> {
    return this.#inTurn(by, async (author) => {
      const member = this.#member(publicKey)
      const row = this.#components.replica.state.registry(publicKey)
      if (member.role === 'root') throw new RefusedError('the root cannot be retired: promote a secondary first')
      if (row === undefined && member.role !== 'secondary') return undefined
      const removal: EntryDraft[] =
        row === undefined ? [] : [{ kind: 'registrySet', body: { publicKey, role: row.role, removed: true } }]
      const change = changeOf(member, { role: retiredRole })
      const entries = await author.append(change === undefined ? removal : [...removal, change])
      return at(entries, entries.length - 1)
    })
  }

  /**
   * Ends a membership without prejudice, by the word of an operator.
   * @throws NotRootError, NotFoundError, RefusedError for the root itself
   */
  end(publicKey: Uint8Array, reason: string, by?: Author): Promise<Signed<LogEntry>> {
    return this.#end(by, { publicKey, reason })
  }

  /** The same without one: the member asks for it with `request`, or has been offline for too long. */
  endUnasked(publicKey: Uint8Array, reason: string, request?: Uint8Array): Promise<Signed<LogEntry>> {
    const body = { publicKey, reason, ...(request !== undefined && { request }) }
    return this.#end({ append: (bodies) => this.#components.root().append(bodies) }, body)
  }

  #end(by: Author | undefined, body: End): Promise<Signed<LogEntry>> {
    return this.#inTurn(by, async (author) => {
      const { publicKey } = this.#member(body.publicKey)
      const root = this.#components.replica.state.rootRegistry()
      if (root !== undefined && equals(publicKey, root.publicKey)) {
        throw new RefusedError('the root cannot be let go: promote a secondary first')
      }
      return at(await author.append([{ kind: 'end', body }]), 0)
    })
  }

  /** A member goes on with another key. Gives the rotate entry. @throws NotRootError, LogMismatchError */
  rotate(body: Rotate): Promise<Uint8Array> {
    const author = { append: (bodies: readonly EntryDraft[]) => this.#components.root().append(bodies) }
    return this.#inTurn(author, async (by) => at(await by.append([{ kind: 'rotate', body }]), 0).bytes)
  }

  /** One after the other: each begins with what the one before has left. Those that a person signs meanwhile go beside them. */
  #inTurn<T>(by: Author | undefined, run: (author: Author) => Promise<T>): Promise<T> {
    const made = async (): Promise<T> => await run(this.#components.author(by))
    if (by?.asksPerson === true) return made()
    const result = this.#turn.then(made)
    this.#turn = result.catch(() => {})
    return result
  }

  #requireRole({ publicKey, name, role }: Member, wanted = role): void {
    if (wanted === role) return
    if (wanted === 'root') {
      throw new RefusedError('nobody is made the root by a change of role: see `trustnet registry promote --help`')
    }
    if (role !== 'root' && this.#components.replica.state.registry(publicKey) === undefined) return
    const how = role === 'root' ? 'promote a secondary first' : `run \`trustnet registry retire ${name}\` first`
    throw new RefusedError(`${name} is in the set of registries as ${role}: ${how}`)
  }

  #member(publicKey: Uint8Array): Member {
    const member = this.#components.replica.state.member(publicKey)
    if (member !== undefined) return member
    throw new NotFoundError(`${peerIdText(publicKey)} is no member: \`trustnet peers\` lists them`)
  }
}

type ChangeDraft = Extract<EntryContent, { kind: 'change' }>

function changeOf(member: Member, change: MemberChange): ChangeDraft | undefined {
  const { publicKey } = member
  const { name = member.name, role = member.role } = change
  const groups = sortedGroups(change.groups ?? member.groups)
  if (name === member.name && role === member.role && isSameGroups(groups, member.groups)) return undefined
  return { kind: 'change', body: { publicKey, name, role, groups } }
}
