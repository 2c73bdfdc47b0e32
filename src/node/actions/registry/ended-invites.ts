import { setImmediate as nextTurn } from 'node:timers/promises'
import { keyId } from '../../../identity/key-id.ts'
import { readStoredEntry } from '../../../registry/log/state/stored-entry.ts'
import { entryKinds } from '../../../registry/objects/entry.ts'
import type { Grant } from '../../../registry/objects/grant.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { LogTable } from '../../../registry/store/log-table.ts'

/** An invite that admits nobody any more, as the entries tell it that are in the store. */
export interface EndedInvite {
  readonly grant: Grant
  /** Number of its entry. */
  readonly n: number
  /** Keys that it let in, with the names that they had then. */
  readonly users: { readonly publicKey: Uint8Array; readonly name: string }[]
  /** The entry that ended it; undefined: its uses are spent. */
  end: { readonly timeMs: number; readonly reason: string } | undefined
}

/** The newest ones are told. */
const mostEnded = 500
/** Rows of the log between two turns of the event loop, and how often so many are read. */
const pageRows = 1_000
const mostPages = 100

/** Ended invites whose entries compaction has left, in the order in which they were made. */
export async function endedInvites({ replica }: Pick<Registry, 'replica'>): Promise<EndedInvite[]> {
  const { ledger, state } = replica
  const found = new Map<string, EndedInvite>()
  for (const { n, envelope } of ledger.table.ofKinds(entryKinds.grant, entryKinds.grantEnd)) {
    const { value } = readStoredEntry(envelope)
    if (value.kind === 'grant' && state.grant(value.body.id) === undefined) {
      found.set(keyId(value.body.id), { grant: value.body, n, users: [], end: undefined })
    } else if (value.kind === 'grantEnd') {
      const ended = found.get(keyId(value.body.id))
      if (ended !== undefined) ended.end = { timeMs: value.timeMs, reason: value.body.reason }
    }
  }
  const newest = new Map([...found].slice(-mostEnded))
  await addUsers(ledger.table, newest)
  return [...newest.values()]
}

/** Tells each invite whom it let in. */
async function addUsers(table: Pick<LogTable, 'page'>, invites: ReadonlyMap<string, EndedInvite>): Promise<void> {
  const [first] = invites.values()
  if (first === undefined) return
  let after = first.n
  for (let page = 0; page < mostPages; page++) {
    const rows = table.page(after, pageRows)
    for (const { n, kind, envelope } of rows) {
      after = n
      if (kind !== entryKinds.admit) continue
      const { value } = readStoredEntry(envelope)
      if (value.kind !== 'admit' || value.body.grantId === undefined) continue
      const { grantId, publicKey, name } = value.body
      invites.get(keyId(grantId))?.users.push({ publicKey, name })
    }
    if (rows.length < pageRows) return
    await nextTurn()
  }
}
