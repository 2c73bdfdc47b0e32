import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NetworkState } from '../../../../../src/registry/log/state/network-state.ts'
import { openProofs } from '../../../../../src/registry/log/state/proofs.ts'
import { openEntry } from '../../../../../src/registry/objects/entry.ts'
import { openGenesis } from '../../../../../src/registry/objects/genesis.ts'

const bytes = z.string().transform((hex) => fromString(hex, 'hex'))
const counts = { root: z.string(), rows: z.number(), bytes: z.number() }
const each = { name: z.string(), after: z.number(), entry: bytes }
const recorded = z
  .object({
    genesis: bytes,
    log: z.array(bytes),
    head: z.object(counts),
    cases: z.array(
      z.discriminatedUnion('verdict', [
        z.object({ ...each, verdict: z.literal('taken'), ...counts }),
        z.object({ ...each, verdict: z.literal('refused'), error: z.string() })
      ])
    )
  })
  .parse(JSON.parse(readFileSync(new URL('../../../../fixtures/vectors/transitions.json', import.meta.url), 'utf8')))

const genesis = openGenesis(recorded.genesis)
const countsOf = (state: NetworkState) => ({ root: text(state.root(), 'hex'), rows: state.rows, bytes: state.bytes })

/** A replica that follows these entries. */
function following(log: readonly Uint8Array[]): { state: NetworkState; put: (entry: Uint8Array) => void } {
  const held = [...log]
  const open = (n: number) => openEntry(held[n - 1] ?? new Uint8Array(), genesis.hash)
  const state = new NetworkState(genesis, open)
  const put = (envelope: Uint8Array): void => {
    const entry = openEntry(envelope, genesis.hash)
    state.check(entry, openProofs(entry.value))
    held[entry.value.n - 1] = envelope
    state.apply(entry)
  }
  for (const envelope of log) put(envelope)
  return { state, put }
}

describe('an entry of the recorded transitions', () => {
  it.each(recorded.cases)('$after: $name is $verdict', (given) => {
    const { state, put } = following(recorded.log.slice(0, given.after))
    const before = countsOf(state)
    if (given.verdict === 'taken') {
      put(given.entry)
      const { root, rows, bytes: size } = given
      expect(countsOf(state)).toEqual({ root, rows, bytes: size })
    } else {
      expect(() => put(given.entry)).toThrow(expect.objectContaining({ name: given.error }))
      expect(countsOf(state)).toEqual(before)
    }
  })

  it('leads to the recorded head', () => expect(countsOf(following(recorded.log).state)).toEqual(recorded.head))
})
