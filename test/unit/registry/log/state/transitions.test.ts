import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NetworkState } from '../../../../../src/registry/log/state/network-state.ts'
import { openProofs } from '../../../../../src/registry/log/state/proofs.ts'
import { openEntry } from '../../../../../src/registry/objects/entry.ts'
import { openGenesis } from '../../../../../src/registry/objects/genesis.ts'
import { LogNetwork } from '../../../../helpers/log-network.ts'

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
const isOnTop = ({ after, entry }: { after: number; entry: Uint8Array }): boolean => {
  const { value } = openEntry(entry, genesis.hash)
  return value.kind !== 'delegate' || value.n > after
}
const onTop = recorded.cases.filter(isOnTop)
/** Delegations that branch off below the head: what stands above them is undone first. */
const below = recorded.cases.filter((given) => !isOnTop(given))
const countsOf = (state: NetworkState) => ({ root: text(state.root(), 'hex'), rows: state.rows, bytes: state.bytes })

/** Follows the log entry by entry, with the rules; what a case puts behind it is taken back. */
class Follower {
  readonly #held: Uint8Array[] = []
  readonly state = new NetworkState(genesis, (n) => openEntry(this.#held[n - 1] ?? new Uint8Array(), genesis.hash))

  put(envelope: Uint8Array): void {
    const entry = openEntry(envelope, genesis.hash)
    this.state.check(entry, openProofs(entry.value))
    this.#held[entry.value.n - 1] = envelope
    this.state.apply(entry)
  }

  followTo(n: number): void {
    while (this.state.head.n < n) this.put(recorded.log[this.state.head.n] ?? new Uint8Array())
  }

  /** Counts behind the entry, which is undone. */
  try(envelope: Uint8Array): ReturnType<typeof countsOf> {
    this.state.begin()
    try {
      this.put(envelope)
      return countsOf(this.state)
    } finally {
      this.state.undoTo(0)
      this.state.settle()
    }
  }
}

/** One for all cases: they ascend. */
let shared = new Follower()
function followerAt(n: number): Follower {
  if (shared.state.head.n > n) shared = new Follower()
  shared.followTo(n)
  return shared
}

describe('an entry of the recorded transitions', () => {
  it.each(onTop)('$after: $name is $verdict', (given) => {
    const follower = followerAt(given.after)
    const before = countsOf(follower.state)
    if (given.verdict === 'taken') {
      const { root, rows, bytes: size } = given
      expect(follower.try(given.entry)).toEqual({ root, rows, bytes: size })
    } else {
      expect(() => follower.try(given.entry)).toThrow(expect.objectContaining({ name: given.error }))
    }
    expect(countsOf(follower.state)).toEqual(before)
  })

  it.each(below)('below the head: $name is $verdict', async (given) => {
    const network = new LogNetwork()
    const { replica } = await network.open(network.newPath(), genesis.bytes)
    await replica.apply(recorded.log.slice(0, given.after))
    const before = countsOf(replica.state)
    if (given.verdict === 'taken') {
      await replica.apply([given.entry])
      const { root, rows, bytes: size } = given
      expect(countsOf(replica.state)).toEqual({ root, rows, bytes: size })
    } else {
      await expect(replica.apply([given.entry])).rejects.toMatchObject({ name: given.error })
      expect(countsOf(replica.state)).toEqual(before)
    }
  })

  it('has cases that ascend', () =>
    expect(recorded.cases.map(({ after }) => after)).toEqual(
      recorded.cases.map(({ after }) => after).toSorted((a, b) => a - b)
    ))

  it('leads to the recorded head', () => expect(countsOf(followerAt(recorded.log.length).state)).toEqual(recorded.head))
})
