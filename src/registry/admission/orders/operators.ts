import { at } from '../../../identity/bytes.ts'
import { keyId } from '../../../identity/key-id.ts'
import { NotFoundError } from '../../../runtime/errors.ts'
import type { Replica } from '../../log/replica.ts'
import type { OperatorRow } from '../../log/state/network-state.ts'
import { readStoredEntry } from '../../log/state/stored-entry.ts'
import { entryKinds, type LogEntry } from '../../objects/entry.ts'
import type { Signed } from '../../objects/envelope.ts'
import type { Author } from './author.ts'

/** Enters operators and removes them. Each gives the entry, or undefined where all is so already. */
export class Operators {
  readonly #replica: Replica

  constructor(replica: Replica) {
    this.#replica = replica
  }

  /** @throws LogMismatchError for a key or a name of another one, and as Author.append */
  async add(name: string, publicKey: Uint8Array, author: Author): Promise<Signed<LogEntry> | undefined> {
    if (this.#replica.state.operator(publicKey)?.name === name) return undefined
    return at(await author.append([{ kind: 'operator', body: { publicKey, name, removed: false } }]), 0)
  }

  /** @throws LogMismatchError for the last one, and as Author.append */
  async remove({ publicKey, name }: OperatorRow, author: Author): Promise<Signed<LogEntry>> {
    return at(await author.append([{ kind: 'operator', body: { publicKey, name, removed: true } }]), 0)
  }

  /** The entry that removed the last one of that name, as long as it is in the store. */
  removal(name: string): Extract<LogEntry, { kind: 'operator' }> | undefined {
    return this.#replica.ledger.table
      .ofKinds(entryKinds.operator, entryKinds.operator)
      .map(({ envelope }) => readStoredEntry(envelope).value)
      .filter((entry) => entry.kind === 'operator')
      .findLast(({ body }) => body.removed && body.name === name)
  }

  /** By name, or key. @throws NotFoundError */
  find(who: string | Uint8Array): OperatorRow {
    const row = this.#replica.state
      .operators()
      .find(({ name, publicKey }) => (typeof who === 'string' ? name === who : keyId(publicKey) === keyId(who)))
    if (row !== undefined) return row
    const what = typeof who === 'string' ? who : 'this key'
    throw new NotFoundError(`no operator is ${what}: \`trustnet operator list\` names them`)
  }
}
