import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Policy } from '../../../../src/registry/objects/policy/policy.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { cosign } from '../../../../src/registry/witness/cosignature.ts'
import { Finality } from '../../../../src/registry/witness/finality.ts'
import { UnavailableError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

const hour = 3_600_000
const graceMs = hour
let network: RealNetwork
let replica: Registry
let reader: SigningKey
const secondaries = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()] as const
const [one, two, three] = secondaries

beforeEach(async () => {
  network = await RealNetwork.create()
  onTestFinished(() => network[Symbol.asyncDispose]())
  for (const [index, key] of secondaries.entries()) {
    const invite = await network.root.admission.invite({ role: 'secondary' })
    await network.root.admission.join(network.wish({ key, name: `s${index}`, role: 'secondary', invite }))
    await network.enter(key)
  }
  reader = await network.admit('reader')
  replica = await network.openReplica('reader', reader)
})

const ask = async (changes: Partial<Policy>): Promise<void> => {
  await network.root.admission.changePolicy(changes)
  await network.sync(replica)
}
const admit = async (name: string): Promise<SigningKey> => {
  const key = await network.admit(name)
  await network.sync(replica)
  return key
}
const sign = async (at: Registry, ...keys: SigningKey[]): Promise<void> => {
  const { checkpoint } = network.root.replica
  if (checkpoint === undefined) throw new Error('no checkpoint')
  for (const key of keys) await at.cosignatures.take(checkpoint.bytes, [cosign(checkpoint, key, network.clock.now())])
}
const counts = ({ publicKey }: SigningKey, at: Registry = replica): boolean => at.replica.isMember(publicKey)
const isFinal = (at: Registry = replica): boolean => at.finality.place.n === at.replica.head.n
const pass = async (ms: number): Promise<void> => {
  network.clock.advance(ms)
  await network.root.root?.checkpoint()
  await network.sync(replica)
}

it('is all of the log where the policy asks for no witnesses', async () => {
  await admit('a')
  expect(isFinal()).toBe(true)
  expect(replica.finality.provisionalSinceMs).toBeUndefined()
})

it('judges a member without reading its admission from the store, where that is final', () => {
  const unread = (admitN: number) => ({
    admitN,
    get admit(): never {
      throw new Error('the admission was read')
    }
  })
  const { n } = replica.finality.place
  expect(replica.finality.counts(unread(n))).toBe(true)
  expect(() => replica.finality.counts(unread(n + 1))).toThrow('the admission was read')
})

it('waits for as many witnesses as the policy asks', async () => {
  await ask({ witnesses: 2 })
  expect(isFinal()).toBe(false)
  expect(replica.finality.provisionalSinceMs).toBe(network.clock.now())
  await sign(replica, one)
  expect(isFinal()).toBe(false)
  await sign(replica, two)
  expect(isFinal()).toBe(true)
  await admit('a')
  expect(isFinal()).toBe(false)
  await sign(replica, one, three)
  expect(isFinal()).toBe(true)
  expect(replica.finality.provisionalSinceMs).toBeUndefined()
})

it('is provisional since the place moved last, however long entries have come', async () => {
  await ask({ witnesses: 2 })
  await sign(replica, one, two)
  await admit('a')
  const { checkpoint: seen } = network.root.replica
  if (seen === undefined) throw new Error('no checkpoint')
  await pass(50_000)
  const from = replica.finality.provisionalSinceMs
  expect(from).toBe(network.clock.now() - 50_000)
  await admit('b')
  expect(replica.finality.provisionalSinceMs).toBe(from)
  for (const key of [one, two]) await replica.cosignatures.take(seen.bytes, [cosign(seen, key, network.clock.now())])
  expect(isFinal()).toBe(false)
  expect(replica.finality.provisionalSinceMs).toBe(network.clock.now())
})

it('an admission that too few have seen counts for the grace, and again when they have seen it', async () => {
  await ask({ witnesses: 2 })
  await sign(replica, one, two)
  const late = await admit('late')
  await pass(graceMs)
  expect(counts(late)).toBe(true)
  await pass(1_000)
  expect(counts(late)).toBe(false)
  expect(replica.replica.isHeldBack(late.publicKey)).toBe(true)
  expect([counts(reader), counts(one), counts(network.rootKey)]).toEqual([true, true, true])
  await sign(replica, two, three)
  expect(counts(late)).toBe(true)
})

it('ages by the own clock, too: a root that holds the time still keeps nothing young', async () => {
  await ask({ witnesses: 2 })
  await sign(replica, one, two)
  const late = await admit('late')
  network.clock.advance(graceMs + 1_000)
  expect(counts(late)).toBe(false)
})

it('an admission of a time that has not come does not count before it is final', async () => {
  await ask({ witnesses: 2 })
  await sign(replica, one, two)
  const late = replica.replica.state.member((await admit('late')).publicKey)
  if (late === undefined) throw new Error('no member')
  const { admitN, admit: entry } = late
  const at = (aheadMs: number) => {
    const value = { ...entry.value, timeMs: network.clock.now() + aheadMs }
    return replica.finality.counts({ admitN, admit: { ...entry, value } })
  }
  // Clocks of honest machines differ by so much.
  expect([at(0), at(60_000), at(hour), at(1_000 * hour)]).toEqual([true, true, false, false])
})

it('a revoke counts at once', async () => {
  await ask({ witnesses: 2 })
  const gone = await admit('gone')
  await sign(replica, one, two)
  await network.root.admission.revoke(gone.publicKey, 'stolen')
  await network.sync(replica)
  expect(isFinal()).toBe(false)
  expect(counts(gone)).toBe(false)
})

it('the root lets nobody in anew whose admission is held back', async () => {
  const { root } = network
  await ask({ witnesses: 1 })
  await sign(root, one)
  const invite = await network.invite()
  const key = SigningKey.generate()
  const wish = network.wish({ key, name: 'late', invite })
  await root.admission.join(wish)
  network.clock.advance(graceMs + 1_000)
  await expect(root.admission.join(wish)).rejects.toThrow(UnavailableError)
  await root.root?.checkpoint()
  await sign(root, one)
  await expect(root.admission.join(wish)).resolves.toHaveProperty('admit')
})

it('nobody who writes the log alone asks for less: policy, witnesses and grace are those of the last final place', async () => {
  const own = SigningKey.generate()
  await ask({
    witnesses: 2,
    witnessKeys: [one, two].map(({ publicKey }) => publicKey).toSorted((a, b) => Buffer.compare(a, b))
  })
  await sign(replica, one, two)
  await ask({ witnesses: 0, witnessKeys: [own.publicKey], witnessGraceMs: 1_000 * hour })
  const late = await admit('late')
  await sign(replica, own)
  expect(isFinal()).toBe(false)
  expect(replica.finality.graceMs).toBe(graceMs)
  await pass(graceMs + 1_000)
  expect(counts(late)).toBe(false)
})

it('a change of the policy that the witnesses have seen counts from there on', async () => {
  await ask({ witnesses: 2 })
  await sign(replica, one, two)
  await ask({ witnesses: 1, witnessGraceMs: 60_000 })
  await sign(replica, one)
  expect(isFinal()).toBe(false)
  await sign(replica, two)
  expect(replica.finality).toMatchObject({ needed: 1, graceMs: 60_000 })
  await admit('a')
  await sign(replica, three)
  expect(isFinal()).toBe(true)
})

it('a witness whose entry in the set is made anew goes on counting', async () => {
  await ask({ witnesses: 3 })
  await sign(replica, one, two, three)
  await admit('a')
  const { checkpoint: seen } = network.root.replica
  if (seen === undefined) throw new Error('no checkpoint')
  await network.enter(three)
  await network.sync(replica)
  const words = [one, two, three].map((key) => cosign(seen, key, network.clock.now()))
  await replica.cosignatures.take(seen.bytes, words)
  expect(replica.finality.place.n).toBe(seen.value.n)
  await sign(replica, one, two, three)
  expect(isFinal()).toBe(true)
})

it('is kept over a restart, also by one who was away when the policy first asked', async () => {
  await ask({ witnesses: 2 })
  await sign(replica, one, two)
  const { place } = replica.finality
  const late = await admit('late')
  await replica.close()
  const again = await network.openReplica('reader', reader)
  expect(again.finality.place).toMatchObject({ epoch: place.epoch, n: place.n })
  network.clock.advance(graceMs + 1_000)
  expect([counts(late, again), counts(reader, again)]).toEqual([false, true])
})

it('a newcomer takes no member that is older than the grace for one before the witnesses have spoken', async () => {
  await ask({ witnesses: 2 })
  const fresh = SigningKey.generate()
  network.clock.advance(graceMs + 1_000)
  const newcomer = await network.openReplica('newcomer', fresh)
  expect([counts(one, newcomer), counts(reader, newcomer)]).toEqual([false, false])
  // The founder: whoever is dialled first has to be.
  expect(counts(network.rootKey, newcomer)).toBe(true)
  await sign(newcomer, one)
  expect(counts(reader, newcomer)).toBe(false)
  await sign(newcomer, two)
  expect([counts(one, newcomer), counts(reader, newcomer)]).toEqual([true, true])
})

it('a restart before the first head was witnessed holds nobody back, and the witnesses are heard', async () => {
  await ask({ witnesses: 2 })
  await replica.close()
  const again = await network.openReplica('reader', reader)
  network.clock.advance(graceMs + 1_000)
  expect([counts(reader, again), counts(one, again)]).toEqual([true, true])
  expect(isFinal(again)).toBe(false)
  await sign(again, one, two)
  expect(isFinal(again)).toBe(true)
})

it('a store that has lost its place begins at the genesis, and the witnesses are heard', async () => {
  await ask({ witnesses: 2 })
  const meta = { get: () => undefined, set: async () => {}, delete: async () => {} }
  const { cosignatures, replica: log } = replica
  const lost = new Finality({ replica: log, cosignatures, meta, clock: network.clock, onFinal: () => {} })
  expect(lost.place.n).toBe(0)
  await sign(replica, one, two)
  expect(lost.place.n).toBe(log.head.n)
  await lost.close()
})

it('a kept place that cannot be read keeps no process from its start', async () => {
  await replica.meta.set('witness.final', new Uint8Array(3))
  await replica.close()
  const again = await network.openReplica('reader', reader)
  expect(isFinal(again)).toBe(true)
})
