import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { Choice } from '../../../../src/protocols/blocks/choice.ts'
import { digestKey } from '../../../../src/protocols/blocks/messages.ts'
import { Shares } from '../../../../src/protocols/blocks/shares.ts'
import { Want } from '../../../../src/protocols/blocks/want.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { WaitingSource } from '../../../helpers/hosts/waiting-source.ts'

const limits = defaultLimits.blocks
const self = new WaitingSource(100).id
const all = 1_000

const wantsOf = (count: number): Map<string, Want> =>
  new Map(
    Array.from({ length: count }, (_, number) => {
      const digest = sha256(Buffer.from(`block ${number}`))
      return [digestKey(digest), new Want(digest)]
    })
  )

/** A fetch of an owner and of those who lacked something. */
function choose(others: readonly WaitingSource[], asker = self) {
  const owner = new WaitingSource(1)
  const choice = new Choice({ self: asker, limits })
  for (const source of [owner, ...others]) choice.add(source, 0)
  for (const other of others) choice.lacks(other, 0)
  return { owner, choice }
}

/** The wants of the share of one of those who fetch. */
const shareOf = (id: string, ids: readonly string[], wants: ReadonlyMap<string, Want>): Want[] => {
  const shares = new Shares(ids)
  return [...wants.values()].filter(({ digest }) => shares.firstOf(digest) === id)
}

const [one, two] = [new WaitingSource(2), new WaitingSource(3)]
const others = [one, two]
const ids = [self, ...others.map(({ id }) => id)]

describe('whoever has all, beside others who fetch,', () => {
  test('is asked for the part of this node alone, and each of the others for its own', () => {
    const { owner, choice } = choose(others)
    const wants = wantsOf(300)
    expect(choice.pick(owner, wants, all, 0)).toEqual(shareOf(self, ids, wants))
    for (const other of others) expect(choice.pick(other, wants, all, 0)).toEqual(shareOf(other.id, ids, wants))
  })

  test('sends one copy to ten of them', () => {
    const nodes = Array.from({ length: 10 }, (_, number) => new WaitingSource(10 + number))
    const wants = wantsOf(500)
    let sent = 0
    for (const node of nodes) {
      const { owner, choice } = choose(
        nodes.filter((other) => other !== node),
        node.id
      )
      sent += choice.pick(owner, wants, all, 0).length
    }
    expect(sent).toBe(wants.size)
  })

  test('is asked for everything where that is little', () => {
    const { owner, choice } = choose(others)
    expect(choice.pick(owner, wantsOf(16), all, 0)).toHaveLength(16)
    expect(choice.pick(owner, wantsOf(17), all, 0).length).toBeLessThan(17)
  })

  test('has a share like the others where nobody has lacked anything', () => {
    const choice = new Choice({ self, limits })
    for (const source of others) choice.add(source, 0)
    const wants = wantsOf(300)
    for (const source of others) {
      const picked = choice.pick(source, wants, all, 0)
      const own = [...wants.values()].filter((want) =>
        [source.id, self].includes(new Shares(ids).firstOf(want.digest) ?? '')
      )
      expect(picked).toEqual(own)
    }
  })

  test('sends what is late elsewhere after three times as long as they do', () => {
    const { owner, choice } = choose(others)
    const wants = wantsOf(100)
    for (const want of wants.values()) want.asked.add(one)
    const lateOf = (owesMs: number): number[] => {
      one.owesMs = owesMs
      return [two, owner].map((source) => choice.pick(source, wants, all, 0).length)
    }
    expect([lateOf(1_000), lateOf(1_001), lateOf(3_000), lateOf(3_001)]).toEqual([
      [0, 0],
      [100, 0],
      [100, 0],
      [100, 100]
    ])
  })
})

describe('those who are behind', () => {
  const late = 3 * limits.hedgeMs + 1

  /** The own part has come, and the parts of others are waited for. */
  function wait() {
    const { owner, choice } = choose(others)
    const wants = wantsOf(300)
    for (const want of choice.pick(owner, wants, all, 0)) wants.delete(digestKey(want.digest))
    choice.look(wants.values(), 0)
    return { owner, choice, wants }
  }

  /** Whose blocks whoever has all is asked for. */
  const takenOf = (picked: readonly Want[]): string[] => {
    const shares = new Shares(ids)
    return [...new Set(picked.map(({ digest }) => shares.firstOf(digest) ?? ''))]
  }

  test('and gave nothing, have no share for a while when whoever has all had nothing to send for long', () => {
    const { owner, choice, wants } = wait()
    choice.gave(one, late - 1)
    choice.look(wants.values(), late - 1)
    expect(choice.pick(owner, wants, all, late - 1)).toEqual([])
    choice.look(wants.values(), late)
    expect(takenOf(choice.pick(owner, wants, all, late))).toEqual([two.id])
    // A part of its share falls to the one that is left.
    expect(takenOf(choice.pick(one, wants, all, late)).toSorted()).toEqual(ids.slice(1).toSorted())
    choice.expect(new Set(), late + limits.restMs)
    expect(choice.pick(owner, wants, all, late + limits.restMs)).toEqual([])
  })

  test('are the one that is waited for most, where all give something', () => {
    const { owner, choice, wants } = wait()
    for (const want of shareOf(two.id, ids, wants).slice(0, -5)) wants.delete(digestKey(want.digest))
    for (const other of others) choice.gave(other, late - 1)
    choice.look(wants.values(), late)
    expect(takenOf(choice.pick(owner, wants, all, late))).toEqual([one.id])
  })

  test('are waited for as long as whoever has all gives something, or owes it', () => {
    const { owner, choice, wants } = wait()
    choice.gave(owner, late - 1)
    choice.look(wants.values(), late)
    const owed = new Want(new Uint8Array(32))
    owed.asked.add(owner)
    choice.look([...wants.values(), owed], 2 * late)
    choice.look(wants.values(), 3 * late - 2)
    expect(choice.pick(owner, wants, all, 3 * late - 2)).toEqual([])
    choice.look(wants.values(), 3 * late)
    expect(choice.pick(owner, wants, all, 3 * late)).not.toEqual([])
  })
})

describe('a source that is being opened', () => {
  test('has a share for a moment, and then the others have it', () => {
    const choice = new Choice({ self, limits })
    choice.add(one, 0)
    choice.expect(new Set([two.id]), 0)
    const wants = wantsOf(300)
    const without = wants.size - shareOf(two.id, ids, wants).length
    expect(choice.pick(one, wants, all, 0)).toHaveLength(without)
    choice.expect(new Set([two.id]), limits.hedgeMs - 1)
    expect(choice.pick(one, wants, all, 0)).toHaveLength(without)
    choice.expect(new Set([two.id]), limits.hedgeMs)
    expect(choice.pick(one, wants, all, 0)).toHaveLength(wants.size)
  })
})

describe('where nobody has all', () => {
  test('a block is asked of others when its first lacks it, or has no room', () => {
    const choice = new Choice({ self, limits })
    for (const source of [one, two]) {
      choice.add(source, 0)
      choice.lacks(source, 0)
    }
    const wants = wantsOf(300)
    const share = shareOf(one.id, ids, wants)
    const before = choice.pick(two, wants, all, 0).length
    share[0]?.absentAt(one, 0)
    expect(choice.pick(two, wants, all, 0)).toHaveLength(before + 1)
    one.room = 0
    expect(choice.pick(two, wants, all, 0)).toHaveLength(wants.size)
    one.room = 64
  })
})
