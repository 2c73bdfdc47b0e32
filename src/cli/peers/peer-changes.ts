import type { PeerRow } from '../../node/api/control-api.ts'

/** A line of `peers --watch` on a pipe. Those who are there at the begin are `present`. */
export interface PeerChange {
  readonly change: 'present' | 'added' | 'changed' | 'removed'
  /** Fields that are different now; empty unless changed. */
  readonly fields: readonly string[]
  readonly peer: PeerRow
}

/** Fields that move by themselves: they are told with a change, and are none. */
const moving = new Set<string>([
  'rttUs',
  'seenAgeMs',
  'uptimePercent',
  'uptimeWindowMs',
  'reputation',
  'streams',
  'bytesIn',
  'bytesOut'
])

/** Keeps the rows of a view, and says what is different in the next one. */
export class PeerChanges {
  #rows: ReadonlyMap<string, PeerRow> | undefined

  take(rows: readonly PeerRow[]): PeerChange[] {
    const before = this.#rows
    const now = new Map(rows.map((row) => [row.peerId, row]))
    this.#rows = now
    if (before === undefined) return rows.map((row) => lineOf('present', row))
    const gone = [...before.values()].filter(({ peerId }) => !now.has(peerId))
    return [
      ...rows.flatMap((row) => changeOf(before.get(row.peerId), row)),
      ...gone.map((row) => lineOf('removed', row))
    ]
  }
}

const lineOf = (change: PeerChange['change'], peer: PeerRow, fields: readonly string[] = []): PeerChange => ({
  change,
  fields,
  peer
})

const changeOf = (before: PeerRow | undefined, row: PeerRow): PeerChange[] => {
  if (before === undefined) return [lineOf('added', row)]
  const old = new Map<string, unknown>(Object.entries(before))
  const fields = Object.entries(row).flatMap(([field, value]: [string, unknown]) =>
    !moving.has(field) && textOf(field, value) !== textOf(field, old.get(field)) ? [field] : []
  )
  return fields.length === 0 ? [] : [lineOf('changed', row, fields)]
}

/** An error ages, which is no change of it. */
const textOf = (field: string, value: unknown): string =>
  JSON.stringify(value, (key, part: unknown) => (field === 'lastError' && key === 'ageMs' ? undefined : part))
