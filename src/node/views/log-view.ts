import { toString as text } from 'uint8arrays/to-string'
import { peerIdText } from '../../identity/keys.ts'
import { decodeQuestion, type Question } from '../../protocols/admin/index.ts'
import { readStoredEntry } from '../../registry/log/state/stored-entry.ts'
import type { Admit, EntryBodies, LogEntry } from '../../registry/objects/entry.ts'
import { readStoredJoin } from '../../registry/objects/join.ts'
import { type Act, contentOf, type OpenedAct } from '../../registry/objects/orders/act.ts'
import type { Registry } from '../../registry/registry.ts'
import type { LogRow as StoredRow } from '../../registry/store/log-rows.ts'
import type { LogRow, LogView } from '../api/registry-views.ts'
import type { PeerRef } from '../api/views.ts'
import { causedBy } from './operator-names.ts'
import { moment } from './phrases.ts'
import { refOf } from './refs.ts'

const defaultRows = 50
const maxRows = 1000
/** Characters of a hash or key in a sentence. */
const shortChars = 12

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')
const short = (bytes: Uint8Array): string => hex(bytes).slice(0, shortChars)

export interface LogQuery {
  readonly after?: number | undefined
  /** Times are those of the entries. */
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  readonly publicKey?: Uint8Array | undefined
  readonly limit?: number | undefined
}

/** A page of the log, ascending: behind `after` or since a time, or the newest entries. What compaction dropped is left out, and counted. */
export function logView(registry: Registry, query: LogQuery): LogView {
  const { ledger, head } = registry.replica
  const { after, sinceMs, untilMs, publicKey, limit = defaultRows } = query
  const wanted = Math.max(1, Math.min(limit, maxRows))
  const upTo = untilMs === undefined ? head.n : (ledger.table.newestBefore(head.n, untilMs + 1) ?? -1)
  const since = sinceMs === undefined ? undefined : (ledger.table.newestBefore(head.n, sinceMs) ?? -1)
  const from = Math.max(after ?? -1, since ?? -1)
  const isNewest = after === undefined && since === undefined
  const begin = isNewest && publicKey === undefined ? Math.max(-1, upTo - wanted) : from
  const held = publicKey === undefined ? ledger.table.page(begin, wanted) : aboutKey(registry, publicKey, begin)
  const fitting = held.filter(({ n }) => n <= upTo)
  const rows = isNewest ? fitting.slice(-wanted) : fitting.slice(0, wanted)
  const last = rows.at(-1)?.n ?? upTo
  const isWhole = publicKey === undefined ? last >= upTo : rows.at(-1) === fitting.at(-1)
  return {
    entries: rows.map((row) => entryRow(registry, row)),
    next: isWhole ? null : last,
    missing: publicKey === undefined ? Math.max(0, last - begin - rows.length) : 0,
    floor: ledger.floor
  }
}

/** Pages of entries about one key that are read: renewals make a few a year. */
const mostPages = 10

const aboutKey = ({ replica }: Registry, publicKey: Uint8Array, after: number): StoredRow[] => {
  const rows: StoredRow[] = []
  for (let page = 0; page < mostPages; page++) {
    const found = replica.ledger.table.about(publicKey, rows.at(-1)?.n ?? after)
    rows.push(...found)
    if (found.length < maxRows) break
  }
  return rows
}

const entryRow = (registry: Registry, row: StoredRow): LogRow => {
  const position = { n: row.n, epoch: row.epoch, timeMs: row.timeMs, hash: hex(row.hash) }
  if (row.n === 0) return { ...position, kind: 'genesis', subject: null, by: [], detail: genesisDetail(registry) }
  const { value } = readStoredEntry(row.envelope)
  return {
    ...position,
    kind: kindText(value),
    subject: subjectOf(registry, row, value),
    by: causedBy(registry, value),
    detail: entryDetail(value)
  }
}

/** As the specification writes them: `registry-set`. */
const kindText = (entry: { kind: LogEntry['kind']; kindNumber?: number }): string => {
  if (entry.kind === 'unknown') return `unknown-${entry.kindNumber}`
  return entry.kind.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

const subjectOf = (registry: Registry, { subject }: StoredRow, entry: LogEntry): PeerRef | null => {
  if (subject === null) return null
  const peerId = peerIdText(subject)
  if (entry.kind === 'admit') return { peerId, name: entry.body.name }
  return { peerId, name: registry.replica.state.member(subject)?.name ?? formerName(registry, subject) }
}

/** Rotations that are followed back to a name: a member may have made as many as it likes. */
const mostRotations = 8

/**
 * Last name of a key that is no member any more, as long as the entry that gave it is in the store. null: none is, or it went over from key
 * to key more than `rotations` times.
 */
export const formerName = (
  { replica }: Pick<Registry, 'replica'>,
  publicKey: Uint8Array,
  rotations = mostRotations
): string | null => {
  let name: string | null = null
  for (const { envelope } of replica.ledger.table.about(publicKey)) {
    const { value } = readStoredEntry(envelope)
    if (value.kind === 'admit' || value.kind === 'change') name = value.body.name
    else if (value.kind === 'revoke') name = value.body.name ?? name
    // The membership of the old key goes on under its name.
    else if (value.kind === 'rotate')
      name = rotations === 0 ? null : formerName({ replica }, value.body.oldKey, rotations - 1)
  }
  return name
}

const genesisDetail = ({ genesis }: Registry): string => {
  const { name, domain, policy, logKey } = genesis.value
  return `network ${name} of ${domain}, admission by ${policy.admission}, log key ${short(logKey)}`
}

const admittedVia = (body: Admit): string => {
  if (body.via === 'founder') return 'as the founder'
  if (body.via === 'approved') return 'approved by the operator'
  if (body.via === 'open') return 'without an invite: the network is open'
  return `by invite ${short(body.grantId ?? new Uint8Array())}`
}

const dayMs = 24 * 3_600_000

export const because = (reason: string): string => (reason === '' ? 'without a reason' : reason)

type Details = { [K in keyof EntryBodies]: (body: EntryBodies[K], entry: LogEntry | undefined) => string }

const details: Details = {
  admit: (body) =>
    [
      body.role,
      `until ${moment(body.notAfterMs)}`,
      admittedVia(body),
      ...(body.receipt === undefined ? [] : ['forwarded by another registry'])
    ].join(', '),
  renew: ({ notAfterMs }) => `until ${moment(notAfterMs)}`,
  revoke: ({ reason }) => because(reason),
  rotate: ({ oldKey }) => `takes the place of ${peerIdText(oldKey)}`,
  registrySet: ({ role, removed }) => (removed ? `no ${role} any more` : `serves as ${role}`),
  delegate: ({ logKey }, entry) => `epoch ${entry?.epoch ?? ''} begins with log key ${short(logKey)}`,
  authority: ({ authorityKey }) => `the authority key is ${short(authorityKey)} from now on`,
  publisher: ({ removed }) => (removed ? 'may not publish documents any more' : 'may publish documents'),
  publish: ({ id, documentVersion, mediaType, sizeBytes, digest }) =>
    `${id} version ${documentVersion}, ${mediaType}, ${sizeBytes} bytes, SHA-256 ${short(digest)}`,
  retire: ({ id, reason }) => `${id}: ${because(reason)}`,
  policy: ({ admission, membershipMs }) => `admission by ${admission}, memberships of ${membershipMs / dayMs} d`,
  grant: ({ id, role, name, replaces, uses, notAfterMs, note }) =>
    [
      `invite ${short(id)} for ${uses} ${role}`,
      ...(name === undefined ? [] : [`named ${name}`]),
      ...(replaces === undefined ? [] : [`in the place of ${replaces}`]),
      `until ${moment(notAfterMs)}`,
      ...(note === '' ? [] : [note])
    ].join(', '),
  grantEnd: ({ id, reason }) => `invite ${short(id)}: ${because(reason)}`,
  change: ({ name, role, groups }) =>
    `${name}, ${role}, ${groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`}`,
  end: ({ reason, request }) => `${because(reason)}${request === undefined ? '' : ', as the node itself asked'}`,
  operator: ({ name, removed }) => `${name} is ${removed ? 'an operator no more' : 'an operator from now on'}`
}

/** Details of an entry beyond its kind and its subject. */
export function entryDetail(entry: LogEntry): string {
  if (entry.kind === 'unknown') return 'of a newer version: kept and counted, without effect here'
  return detailOf(entry.kind, entry.body, entry)
}

const detailOf = <K extends keyof EntryBodies>(kind: K, body: EntryBodies[K], entry: LogEntry | undefined): string =>
  details[kind](body, entry)

/** Details of what an operator wants. */
export function actDetail(registry: Registry, act: Act): { kind: string; subject: PeerRef | null; detail: string } {
  const { kind, publicKey, name, detail } = actParts(contentOf(act))
  if (publicKey === undefined) return { kind, subject: null, detail }
  return { kind, subject: name === null ? refOf(registry, publicKey) : { peerId: peerIdText(publicKey), name }, detail }
}

/** A question of an operator, as it is signed. @throws InvalidPayloadError */
export const questionOf = (bytes: Uint8Array): Question => decodeQuestion(bytes)

/** Text of an act in a line, by what stands in the act alone. */
export function actText(content: OpenedAct['content']): string {
  const { kind, publicKey, detail } = actParts(content)
  return [kind, ...(publicKey === undefined ? [] : [peerIdText(publicKey)]), detail].join(' ')
}

function actParts(content: OpenedAct['content']) {
  if ('join' in content) {
    const { publicKey, name, role } = readStoredJoin(content.join)
    return { kind: content.kind, publicKey, name, detail: `${name}, ${role}, approved` }
  }
  const publicKey = 'publicKey' in content.body ? content.body.publicKey : undefined
  const detail = content.kind === 'unknown' ? '' : detailOf(content.kind, content.body, undefined)
  return { kind: kindText(content), publicKey, name: null, detail }
}
