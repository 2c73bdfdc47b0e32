import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Policy } from '../../../../src/registry/objects/policy/policy.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { cosign } from '../../../../src/registry/witness/cosignature.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

let network: RealNetwork
let reader: Registry
const [one, two, three, four] = Array.from({ length: 4 }, () => SigningKey.generate()) as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey
]

beforeEach(async () => {
  network = await RealNetwork.create()
  onTestFinished(() => network[Symbol.asyncDispose]())
  await enter(one)
  reader = await network.openReplica('reader', await network.admit('reader'))
})

async function enter(...keys: SigningKey[]): Promise<void> {
  for (const key of keys) {
    const invite = await network.root.admission.invite({ role: 'secondary' })
    const name = `s${network.root.replica.head.n}`
    await network.root.admission.join(network.wish({ key, name, role: 'secondary', invite }))
    await network.enter(key)
  }
}
async function leaveSet(...keys: SigningKey[]): Promise<void> {
  for (const { publicKey } of keys) {
    await network.root.root?.append([{ kind: 'registrySet', body: { publicKey, role: 'secondary', removed: true } }])
  }
}
const change = (changes: Partial<Policy>): Promise<unknown> => network.root.admission.changePolicy(changes)
const keysOf = (...keys: SigningKey[]): Uint8Array[] =>
  keys.map(({ publicKey }) => publicKey).toSorted((a, b) => Buffer.compare(a, b))

/** The newest checkpoint comes with the words of these. */
async function sign(at: Registry, ...keys: SigningKey[]): Promise<void> {
  await network.sync(at)
  const { checkpoint } = network.root.replica
  if (checkpoint === undefined) throw new Error('no checkpoint')
  for (const key of keys) await at.cosignatures.take(checkpoint.bytes, [cosign(checkpoint, key, network.clock.now())])
}
const isFinal = ({ finality, replica }: Registry): boolean => finality.place.n === replica.head.n

/** All that a pull brings: the entries, and after them the words that the other side holds. */
async function pull(from: Registry, to: Registry): Promise<void> {
  await network.sync(to)
  for (const { checkpoint, cosignatures } of from.cosignatures.since(0).checkpoints) {
    await to.cosignatures.take(checkpoint.bytes, cosignatures)
  }
}

describe('a policy that asks for more witnesses than there are', () => {
  it('waits for the missing ones, who then count', async () => {
    await expect(change({ witnesses: 2 })).rejects.toThrow('the policy would need 2 witnesses and there is 1')
    await network.root.admission.changePolicy({ witnesses: 2 }, { force: true })
    await sign(reader, one, two)
    expect(isFinal(reader)).toBe(false)
    const { checkpoint: before } = network.root.replica
    if (before === undefined) throw new Error('no checkpoint')
    await enter(two)
    await network.sync(reader)
    // Both stand for a place at which the second was none yet: that is not more than the policy of that place can ask.
    for (const key of [one, two]) await reader.cosignatures.take(before.bytes, [cosign(before, key, 0)])
    await sign(reader, one, two)
    expect(isFinal(reader)).toBe(true)
    await network.admit('a')
    await sign(reader, one)
    expect(isFinal(reader)).toBe(false)
    await sign(reader, two)
    expect(isFinal(reader)).toBe(true)
  })

  it('counts the ones that came with it, seen in one batch', async () => {
    await change({ witnesses: 1 })
    await sign(reader, one)
    expect(isFinal(reader)).toBe(true)
    await enter(two, three)
    await change({ witnesses: 3 })
    await sign(reader, one, two)
    expect(isFinal(reader)).toBe(false)
    await sign(reader, three)
    expect(isFinal(reader)).toBe(true)
    expect(reader.finality.needed).toBe(3)
  })
})

describe('a change of the witnesses', () => {
  beforeEach(async () => {
    await change({ witnesses: 2, witnessKeys: keysOf(one, two) })
    await sign(reader, one, two)
    await change({ witnessKeys: keysOf(three, four) })
  })

  it('is final when the old and the new ones have seen it', async () => {
    await sign(reader, three, four)
    expect(isFinal(reader)).toBe(false)
    await sign(reader, one)
    expect(isFinal(reader)).toBe(false)
    await sign(reader, two)
    expect(isFinal(reader)).toBe(true)
    await network.admit('a')
    await sign(reader, one, two)
    expect(isFinal(reader)).toBe(false)
    await sign(reader, three, four)
    expect(isFinal(reader)).toBe(true)
  })

  it('is not final by the old ones alone', async () => {
    await sign(reader, one, two)
    expect(isFinal(reader)).toBe(false)
  })

  it('asks the old ones until it is final, and then no more', async () => {
    await network.sync(reader)
    const { cosignatures } = reader
    expect([one, three].map(({ publicKey }) => cosignatures.isEntitled(publicKey))).toEqual([true, true])
    await sign(reader, one, two, three, four)
    expect([one, three].map(({ publicKey }) => cosignatures.isEntitled(publicKey))).toEqual([false, true])
  })

  it('is seen over a restart, before and after', async () => {
    const at = (): Promise<Registry> => network.openReplica('reader', SigningKey.generate())
    await network.sync(reader)
    await reader.close()
    let again = await at()
    await sign(again, one, two, three, four)
    expect(isFinal(again)).toBe(true)
    await network.admit('a')
    await again.close()
    again = await at()
    await sign(again, three, four)
    expect(isFinal(again)).toBe(true)
  })
})

it('one who was away while the witnesses changed twice hears the last words of the earlier ones', async () => {
  const stayed = await network.openReplica('stayed', await network.admit('stayed'))
  await change({ witnesses: 2, witnessKeys: keysOf(one, two) })
  for (const each of [reader, stayed]) await sign(each, one, two)
  await change({ witnessKeys: keysOf(two, three) })
  await sign(stayed, one, two, three)
  await network.admit('a')
  await change({ witnessKeys: keysOf(three, four) })
  await sign(stayed, two, three, four)
  await network.admit('b')
  await sign(stayed, three, four)
  expect(isFinal(stayed)).toBe(true)
  await pull(stayed, reader)
  expect(isFinal(reader)).toBe(true)
  expect(reader.finality.place).toEqual(stayed.finality.place)
})

it('a secondary that leaves the set has to stand for that', async () => {
  await enter(two)
  await change({ witnesses: 2 })
  await sign(reader, one, two)
  expect(isFinal(reader)).toBe(true)
  await enter(three)
  await leaveSet(two)
  await sign(reader, one, three)
  expect(isFinal(reader)).toBe(false)
  await sign(reader, two)
  expect(isFinal(reader)).toBe(true)
})

it('a witness that goes on under a new key is asked by that', async () => {
  await enter(two)
  await change({ witnesses: 2 })
  await sign(reader, one, two)
  const next = SigningKey.generate()
  await network.root.admission.rotate(network.rotation(two, next))
  await sign(reader, one)
  expect(isFinal(reader)).toBe(false)
  await sign(reader, next)
  expect(isFinal(reader)).toBe(true)
})

it('one who writes the log alone asks for less in two steps: neither is final', async () => {
  await enter(two)
  await change({ witnesses: 2 })
  await sign(reader, one, two)
  const own = SigningKey.generate()
  await change({ witnessKeys: keysOf(own, four) })
  await network.sync(reader)
  await change({ witnesses: 0, witnessKeys: [] })
  await network.admit('mallory')
  const { place } = reader.finality
  await sign(reader, own, four)
  expect(reader.finality.place).toEqual(place)
})

it('one who has heard no words yet is not talked out of asking for them', async () => {
  await enter(two)
  const fresh = await network.openReplica('fresh', SigningKey.generate())
  await change({ witnesses: 2 })
  await network.sync(fresh)
  await change({ witnesses: 0 })
  await network.admit('mallory')
  await network.sync(fresh)
  expect(isFinal(fresh)).toBe(false)
  await sign(fresh, one, two)
  expect(isFinal(fresh)).toBe(true)
})
