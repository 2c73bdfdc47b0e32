import { expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { Fetch } from '../../../../src/protocols/blocks/fetch.ts'
import { digestKey } from '../../../../src/protocols/blocks/messages.ts'
import { type LimitOverrides, limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { WaitingSource } from '../../../helpers/hosts/waiting-source.ts'
import { FakeClock } from '../../../helpers/observations.ts'

const blockBytes = 1_048_576
const wants = Array.from({ length: 4 }, (_, number) => sha256(Uint8Array.of(number)))

/** A fetch from one source, on a clock that the test turns. */
function fetchFrom(source: WaitingSource, overrides: LimitOverrides = {}) {
  const clock = new FakeClock()
  const { blocks: limits } = limitsWith(overrides)
  const fetch: Fetch = new Fetch(
    { sources: () => [source.peer], signal: new AbortController().signal },
    {
      self: new WaitingSource(2).id,
      limits,
      clock,
      open: (each) => {
        each.add(source)
        return new Set()
      },
      askSoon: () => setImmediate(() => fetch.ask())
    }
  )
  return { fetch, clock, limits }
}

/** Keys of the blocks that are given. */
const given = async (fetch: Fetch): Promise<string[]> => {
  const keys: string[] = []
  for await (const { digest } of fetch.blocks(wants)) keys.push(digestKey(digest))
  return keys
}

test('blocks that are larger than those before them fill no more memory: what comes beyond it is asked for again', async () => {
  const source = new WaitingSource(1)
  const { fetch } = fetchFrom(source, { blocks: { fetchBytes: blockBytes } })
  source.onAsk = (digests) => {
    setImmediate(() => {
      for (const digest of digests) fetch.gave(digestKey(digest), digest, new Uint8Array(blockBytes), source)
    })
  }
  expect((await given(fetch)).toSorted()).toEqual(wants.map((digest) => digestKey(digest)).toSorted())
  // Four at once, as if they had a quarter of their length, where there is room for one.
  expect(source.asked).toHaveLength(7)
})

test('a source that owes a block for ever and goes on to answer about others keeps no fetch open', async () => {
  const source = new WaitingSource(1)
  const { fetch, clock, limits } = fetchFrom(source)
  const asked = Promise.withResolvers<void>()
  source.onAsk = ([, ...rest]) => {
    for (const digest of rest) fetch.lacks(digestKey(digest), source)
    asked.resolve()
  }
  const keys = given(fetch)
  await asked.promise
  clock.advance(limits.dialMs + limits.silenceMs + limits.idleFetchMs + 1)
  expect(await keys).toEqual([])
})
