import type { LogEntry } from '../entry.ts'
import type { Signed } from '../envelope.ts'
import { LogMismatchError } from '../errors.ts'
import { keyText, ownBytes } from './key-text.ts'
import { type DocumentRow, type EntrySource, type MemberFields, MemberRow } from './rows.ts'
import type { Tables } from './tables.ts'

/** Positions of entries that lost their last effect: they are no longer live. */
type Superseded = number[]

type EntryOf<K extends LogEntry['kind']> = Signed<LogEntry & { kind: K }>

/**
 * What each kind of entry does to the tables; gives the positions whose place it takes. Also for a compacted log, where the entries
 * that were superseded are missing: the rules were checked before, and the state root shows whether the rest is complete.
 */
export class Effects {
  readonly #tables: Tables
  readonly #source: EntrySource

  constructor(tables: Tables, source: EntrySource) {
    this.#tables = tables
    this.#source = source
  }

  apply(entry: Signed<LogEntry>): Superseded {
    switch (entry.value.kind) {
      case 'admit':
        return this.#admit(entry as EntryOf<'admit'>)
      case 'renew':
        return this.#renew(entry as EntryOf<'renew'>)
      case 'revoke':
        return this.#revoke(entry as EntryOf<'revoke'>)
      case 'rotate':
        return this.#rotate(entry as EntryOf<'rotate'>)
      case 'registrySet':
        return this.#registrySet(entry as EntryOf<'registrySet'>)
      case 'publisher':
        return this.#publisher(entry as EntryOf<'publisher'>)
      case 'publish':
        return this.#publish(entry as EntryOf<'publish'>)
      case 'retire':
        return this.#retire(entry as EntryOf<'retire'>)
      default:
        return []
    }
  }

  #admit({ value, hash }: EntryOf<'admit'>): Superseded {
    const { publicKey, name, role, notAfterMs } = value.body
    const before = this.#tables.members.get(keyText(publicKey))
    const fields: MemberFields = {
      publicKey: ownBytes(publicKey),
      name,
      role,
      notAfterMs,
      admitN: value.n,
      admitHash: ownBytes(hash),
      firstN: value.n,
      renewN: undefined
    }
    this.#tables.putMember(new MemberRow(fields, this.#source), before)
    return before === undefined ? [] : entriesOf(before)
  }

  #renew({ value }: EntryOf<'renew'>): Superseded {
    const { publicKey, notAfterMs } = value.body
    const before = this.#tables.members.get(keyText(publicKey))
    if (before === undefined) throw new LogMismatchError(`entry ${value.n} renews a membership that is not there`)
    this.#tables.putMember(before.with({ notAfterMs, renewN: value.n }), before)
    return before.renewN === undefined ? [] : [before.renewN]
  }

  #revoke({ value, hash }: EntryOf<'revoke'>): Superseded {
    const publicKey = ownBytes(value.body.publicKey)
    this.#tables.putRevoked({ publicKey, n: value.n, hash: ownBytes(hash) })
    const member = this.#tables.members.get(keyText(publicKey))
    const registry = this.#tables.registries.get(keyText(publicKey))
    if (member !== undefined) this.#tables.dropMember(member)
    if (registry !== undefined) this.#tables.dropRegistry(publicKey)
    return [...(member === undefined ? [] : entriesOf(member)), ...(registry === undefined ? [] : [registry.n])]
  }

  /** The rotate itself stays for ever: it is what shuts the old key out. */
  #rotate({ value, hash }: EntryOf<'rotate'>): Superseded {
    const oldKey = ownBytes(value.body.oldKey)
    const newKey = ownBytes(value.body.newKey)
    const admitHash = ownBytes(hash)
    this.#tables.putRevoked({ publicKey: oldKey, n: value.n, hash: admitHash })
    const before = this.#tables.members.get(keyText(oldKey))
    // Not there in a compacted log, when the new key was admitted or revoked itself later on.
    if (before !== undefined) {
      this.#tables.putMember(before.with({ publicKey: newKey, admitN: value.n, admitHash }), before)
    }
    const registry = this.#tables.registries.get(keyText(oldKey))
    if (registry !== undefined) {
      this.#tables.dropRegistry(oldKey)
      this.#tables.putRegistry({ ...registry, publicKey: newKey })
    }
    return []
  }

  #registrySet({ value, hash }: EntryOf<'registrySet'>): Superseded {
    const { role, removed } = value.body
    const publicKey = ownBytes(value.body.publicKey)
    const before = this.#tables.registries.get(keyText(publicKey))
    const superseded = before === undefined ? [] : [before.n]
    if (!removed) {
      this.#tables.putRegistry({ publicKey, role, n: value.n, hash: ownBytes(hash) })
      return superseded
    }
    this.#tables.dropRegistry(publicKey)
    return [...superseded, value.n]
  }

  #publisher({ value, hash }: EntryOf<'publisher'>): Superseded {
    const publicKey = ownBytes(value.body.publicKey)
    const before = this.#tables.publishers.get(keyText(publicKey))
    if (!value.body.removed) {
      this.#tables.putPublisher({ publicKey, n: value.n }, ownBytes(hash))
      return []
    }
    this.#tables.dropPublisher(publicKey)
    return [...(before === undefined ? [] : [before.n]), value.n]
  }

  #publish({ value, hash }: EntryOf<'publish'>): Superseded {
    const { id, documentVersion, mediaType, digest, sizeBytes, publisherKey } = value.body
    const before = this.#tables.documents.get(id)
    this.#tables.putDocument({
      id,
      version: documentVersion,
      mediaType,
      digest: ownBytes(digest),
      sizeBytes,
      publisherKey: ownBytes(publisherKey),
      timeMs: value.timeMs,
      n: value.n,
      hash: ownBytes(hash),
      retired: undefined
    })
    return before === undefined ? [] : documentEntriesOf(before)
  }

  #retire({ value, hash }: EntryOf<'retire'>): Superseded {
    const before = this.#tables.documents.get(value.body.id)
    if (before === undefined) throw new LogMismatchError(`entry ${value.n} retires a document that is not there`)
    const retired = { n: value.n, hash: ownBytes(hash), reason: value.body.reason, timeMs: value.timeMs }
    this.#tables.putDocument({ ...before, retired })
    return []
  }
}

/** Entries that only this row needs: a rotate goes on shutting the old key out. */
const entriesOf = ({ firstN, renewN }: MemberRow): Superseded => (renewN === undefined ? [firstN] : [firstN, renewN])

const documentEntriesOf = (row: DocumentRow): Superseded =>
  row.retired === undefined ? [row.n] : [row.n, row.retired.n]
