import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NetworkState } from '../../../../../src/registry/log/state/network-state.ts'
import { openProofs } from '../../../../../src/registry/log/state/proofs.ts'
import { readStoredEntry } from '../../../../../src/registry/log/state/stored-entry.ts'
import { openCheckpoint } from '../../../../../src/registry/objects/checkpoint.ts'
import { openEntry } from '../../../../../src/registry/objects/entry.ts'
import { openGenesis } from '../../../../../src/registry/objects/genesis.ts'
import { verdict } from '../../../../helpers/signed-objects.ts'

const bytes = z.string().transform((hex) => fromString(hex, 'hex'))
const recorded = z
  .object({
    genesis: bytes,
    entries: z.array(bytes),
    checkpoint: bytes,
    roots: z.array(z.string()),
    live: z.array(z.number()),
    refused: z.array(z.object({ name: z.string(), error: z.string(), entry: bytes }))
  })
  .parse(JSON.parse(readFileSync(new URL('../../../../fixtures/vectors/state-log.json', import.meta.url), 'utf8')))

describe('the recorded log', () => {
  const start = openGenesis(recorded.genesis)
  const replay = (): NetworkState => {
    const state = new NetworkState(start, () => {
      throw new Error('not asked for')
    })
    for (const envelope of recorded.entries) state.apply(openEntry(envelope, start.hash))
    return state
  }

  it.each(recorded.refused)('is not followed by $name', ({ error, entry }) => {
    const next = openEntry(entry, start.hash)
    expect(verdict(() => replay().check(next, openProofs(next.value)))).toBe(error)
  })

  it('leaves the recorded entries alive, which make the same state', () => {
    expect(replay().live()).toEqual(recorded.live)
    const loaded = new NetworkState(start, () => {
      throw new Error('not asked for')
    })
    for (const n of recorded.live.slice(1))
      loaded.load(openEntry(recorded.entries[n - 1] ?? new Uint8Array(), start.hash))
    expect(text(loaded.root(), 'hex')).toBe(recorded.roots.at(-1))
  })

  it('has the recorded state root behind each of its entries', () => {
    const replayed = new NetworkState(start, () => {
      throw new Error('not asked for')
    })
    const roots = [text(replayed.root(), 'hex')]
    for (const envelope of recorded.entries) {
      const entry = openEntry(envelope, start.hash)
      expect(readStoredEntry(envelope)).toEqual(entry)
      replayed.check(entry, openProofs(entry.value))
      replayed.apply(entry)
      roots.push(text(replayed.root(), 'hex'))
    }
    expect(roots).toEqual(recorded.roots)
    const { value, signer } = openCheckpoint(recorded.checkpoint, start.hash)
    expect(value).toMatchObject({ n: replayed.head.n, rows: replayed.rows, bytes: replayed.bytes, epoch: 1 })
    expect(text(value.stateRoot, 'hex')).toBe(recorded.roots.at(-1))
    expect(value.headHash).toEqual(replayed.head.hash)
    expect(signer).toEqual(replayed.logKeyOf(1))
  })
})
