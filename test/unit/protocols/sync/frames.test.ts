import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SyncRow, toFrames } from '../../../../src/protocols/sync/frames.ts'
import { type Hint, SyncFrame } from '../../../../src/protocols/sync/pb/sync.ts'

const bounds = { frameBytes: 4_096, hints: 8 }

const bytes = fc.uint8Array({ minLength: 1, maxLength: 1_500 })
const hint = fc.record<Hint>({
  publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  source: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  heardMs: fc.nat(),
  state: fc.integer({ min: 1, max: 6 }),
  sinceMs: fc.nat(),
  reason: fc.string({ maxLength: 120, unit: 'binary' }),
  rttMs: fc.nat({ max: 0xffff }),
  connected: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 32 }),
  seq: fc.nat(),
  start: fc.nat(),
  count: fc.nat()
})
const row: fc.Arbitrary<SyncRow> = fc.oneof(
  fc.record({ kind: fc.constant('entry' as const), envelope: bytes }),
  fc.record({ kind: fc.constant('checkpoint' as const), envelope: bytes }),
  fc.record({ kind: fc.constant('record' as const), envelope: bytes }),
  fc.record({
    kind: fc.constant('cursor' as const),
    cursor: fc.record({ store: fc.uint8Array({ minLength: 16, maxLength: 16 }), change: fc.nat() })
  }),
  fc.record({ kind: fc.constant('hint' as const), hint }),
  fc.constant({ kind: 'flush' as const })
)

/** In pages of up to three rows: where one ends must not show. */
async function* from(rows: SyncRow[]): AsyncGenerator<SyncRow[]> {
  for (let at = 0; at < rows.length; at += 3) yield rows.slice(at, at + 3)
}

/** The order in which a reader takes what it is sent. */
function read(frame: SyncFrame): SyncRow[] {
  return [
    ...frame.entries.map((envelope) => ({ kind: 'entry' as const, envelope })),
    ...(frame.checkpoint.length > 0 ? [{ kind: 'checkpoint' as const, envelope: frame.checkpoint }] : []),
    ...frame.records.map((envelope) => ({ kind: 'record' as const, envelope })),
    ...(frame.cursor === undefined ? [] : [{ kind: 'cursor' as const, cursor: frame.cursor }]),
    ...frame.hints.map((each) => ({ kind: 'hint' as const, hint: each }))
  ]
}

/** A later cursor stands for those before it. */
const lastOfCursors = (rows: SyncRow[]): SyncRow[] =>
  rows.filter((each, index) => each.kind !== 'cursor' || rows[index + 1]?.kind !== 'cursor')

describe('frames of rows', () => {
  test('arrive complete, in order, and never longer than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), async (rows) => {
        const arrived: SyncRow[] = []
        for await (const frame of toFrames(from(rows), bounds)) {
          expect(frame.byteLength).toBeLessThanOrEqual(bounds.frameBytes)
          expect(frame.byteLength).toBeGreaterThan(0)
          const decoded = SyncFrame.decode(frame)
          expect(decoded.hints.length).toBeLessThanOrEqual(bounds.hints)
          arrived.push(...read(decoded))
        }
        const sent = rows.filter(({ kind }) => kind !== 'flush')
        expect(JSON.stringify(lastOfCursors(arrived))).toBe(JSON.stringify(lastOfCursors(sent)))
      })
    )
  })

  test('fills a frame before it begins the next one', async () => {
    const rows: SyncRow[] = Array.from({ length: 30 }, () => ({ kind: 'entry', envelope: new Uint8Array(1_000) }))
    const sizes: number[] = []
    for await (const frame of toFrames(from(rows), { frameBytes: 10_240, hints: 8 })) sizes.push(frame.byteLength)
    expect(sizes).toHaveLength(3)
  })

  test('sends at once what a flush ends, and nothing for a flush alone', async () => {
    const rows: SyncRow[] = [
      { kind: 'flush' },
      { kind: 'caughtUp' },
      { kind: 'flush' },
      { kind: 'flush' },
      { kind: 'record', envelope: Uint8Array.of(1) }
    ]
    const frames: SyncFrame[] = []
    for await (const frame of toFrames(from(rows), bounds)) frames.push(SyncFrame.decode(frame))
    expect(frames.map(({ caughtUp, records }) => [caughtUp, records.length])).toEqual([
      [true, 0],
      [false, 1]
    ])
  })
})
