import { type Cursor, type Hint as HintMessage, SyncFrame } from './pb/sync.ts'

/** One thing to tell, in the order in which it must arrive. */
export type SyncRow =
  /** Before the checkpoint of a snapshot. */
  | { kind: 'delegation'; envelope: Uint8Array }
  | { kind: 'entry'; envelope: Uint8Array }
  /** Covers all entries before it. */
  | { kind: 'checkpoint'; envelope: Uint8Array; cosignatures?: readonly Uint8Array[] }
  /** By the authority, beside the log. */
  | { kind: 'revoke'; envelope: Uint8Array }
  | { kind: 'record'; envelope: Uint8Array }
  /** Position after the records before it. */
  | { kind: 'cursor'; cursor: Cursor }
  | { kind: 'hint'; hint: HintMessage }
  | { kind: 'caughtUp' }
  /** There is no more for now: what was collected leaves. */
  | { kind: 'flush' }

/** A reader takes the parts of a frame in this order, so a row that belongs before what the frame holds begins the next one. */
const order = {
  delegation: 0,
  entry: 1,
  checkpoint: 2,
  revoke: 3,
  record: 4,
  cursor: 5,
  hint: 6,
  caughtUp: 7,
  flush: 8
} as const

export interface FrameBounds {
  frameBytes: number
  hints: number
}

/** Tag and length of a field, and the cursor that every frame may hold. */
const fieldBytes = 8
const cursorBytes = 48

class Frame {
  bytes = cursorBytes
  #rank = 0
  readonly #content: Partial<SyncFrame> & Pick<SyncFrame, 'delegations' | 'entries' | 'revokes' | 'records' | 'hints'> =
    {
      delegations: [],
      entries: [],
      revokes: [],
      records: [],
      hints: []
    }

  get isEmpty(): boolean {
    return this.bytes === cursorBytes && this.#rank === 0
  }

  takes(row: SyncRow, size: number, bounds: FrameBounds): boolean {
    const rank = order[row.kind]
    if (rank < this.#rank || (rank === this.#rank && row.kind === 'checkpoint')) return false
    if (row.kind === 'hint' && this.#content.hints.length >= bounds.hints) return false
    return this.bytes + size <= bounds.frameBytes
  }

  add(row: SyncRow, size: number): void {
    this.bytes += size
    this.#rank = Math.max(this.#rank, order[row.kind])
    const content = this.#content
    if (row.kind === 'delegation') content.delegations.push(row.envelope)
    else if (row.kind === 'entry') content.entries.push(row.envelope)
    else if (row.kind === 'checkpoint') {
      content.checkpoint = row.envelope
      content.cosignatures = [...(row.cosignatures ?? [])]
    } else if (row.kind === 'revoke') content.revokes.push(row.envelope)
    else if (row.kind === 'record') content.records.push(row.envelope)
    else if (row.kind === 'cursor') content.cursor = row.cursor
    else if (row.kind === 'hint') content.hints.push(row.hint)
    else if (row.kind === 'caughtUp') content.caughtUp = true
  }

  encode(): Uint8Array {
    return SyncFrame.encode(this.#content)
  }
}

const bytesOf = (...fields: readonly Uint8Array[]): number =>
  fields.reduce((sum, { byteLength }) => sum + byteLength + fieldBytes, 0)

function sizeOf(row: SyncRow): number {
  if (row.kind === 'checkpoint') return bytesOf(row.envelope, ...(row.cosignatures ?? []))
  if ('envelope' in row) return bytesOf(row.envelope)
  // Keys, numbers and a reason of at most 4 bytes a character.
  if (row.kind === 'hint') return 160 + 4 * row.hint.reason.length + 36 * row.hint.connected.length
  return row.kind === 'caughtUp' ? fieldBytes : 0
}

/** Packs rows into as few frames as their order and the bounds allow. They come by pages: a promise for each row would cost more than the row. */
export async function* toFrames(
  pages: AsyncIterable<readonly SyncRow[]>,
  bounds: FrameBounds
): AsyncGenerator<Uint8Array> {
  let frame = new Frame()
  for await (const page of pages) {
    for (const row of page) {
      const size = sizeOf(row)
      const isFull = row.kind === 'flush' || !frame.takes(row, size, bounds)
      if (isFull && !frame.isEmpty) {
        yield frame.encode()
        frame = new Frame()
      }
      if (row.kind !== 'flush') frame.add(row, size)
    }
  }
  if (!frame.isEmpty) yield frame.encode()
}
