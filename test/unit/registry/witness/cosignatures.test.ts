import { readFileSync } from 'node:fs'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { verifyStore } from '../../../../src/registry/backup/verify-store.ts'
import { openCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { cosign } from '../../../../src/registry/witness/cosignature.ts'
import { maxCosignatures } from '../../../../src/registry/witness/held-words.ts'
import { storedWords, storeWords } from '../../../../src/registry/witness/stored-words.ts'
import type { Lie } from '../../../../src/registry/witness/words.ts'
import { InvalidEnvelopeError, InvalidPayloadError, LimitError, StoreError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

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

const newest = () => {
  const { checkpoint } = network.root.replica
  if (checkpoint === undefined) throw new Error('no checkpoint')
  return checkpoint
}
const word = (key: SigningKey, checkpoint = newest()): Uint8Array => cosign(checkpoint, key, network.clock.now())
const take = (...keys: SigningKey[]): Promise<number> =>
  replica.cosignatures.take(
    newest().bytes,
    keys.map((key) => word(key))
  )
const next = async (): Promise<void> => {
  await network.admit(`m${newest().value.n}`)
  await network.sync(replica)
}

it('counts each witness of the network once, and nobody else', async () => {
  const { cosignatures } = replica
  expect(cosignatures.witnessed(1)).toBeUndefined()
  await expect(take(one, one, SigningKey.generate(), network.rootKey)).resolves.toBe(1)
  await expect(take(one)).resolves.toBe(0)
  expect(cosignatures.witnessed(1)).toMatchObject({ by: 1, of: 3 })
  expect(cosignatures.witnessed(2)).toBeUndefined()
  network.clock.advance(400)
  await take(two, three)
  expect(cosignatures.witnessed(2)).toMatchObject({ by: 3, of: 3, afterMs: 400 })
  expect(cosignatures.of(newest())).toHaveLength(3)
})

it('a word about a later place stands for all places before it', async () => {
  await take(one)
  const first = newest()
  await next()
  await take(two)
  expect(replica.cosignatures.witnessed(2)?.checkpoint.hash).toEqual(first.hash)
  expect(replica.cosignatures.witnessed(1)?.checkpoint.hash).toEqual(newest().hash)
  // An older word of one that has said something later is no news.
  await expect(replica.cosignatures.take(first.bytes, [word(two, first)])).resolves.toBe(0)
})

it('of a head that was signed anew as many stand for it as before', async () => {
  await take(one, two)
  network.clock.advance(60_000)
  await network.root.root?.checkpoint()
  await network.sync(replica)
  await take(three)
  expect(replica.cosignatures.witnessed(1)).toMatchObject({ by: 3, of: 3 })
})

it('tells what came behind a revision, by checkpoints, ascending', async () => {
  const { cosignatures } = replica
  await take(one)
  const { revision } = cosignatures.since(0)
  const first = newest()
  await next()
  await take(two)
  const hashes = (from: number) => cosignatures.since(from).checkpoints.map(({ checkpoint }) => checkpoint.hash)
  expect(hashes(0)).toEqual([first.hash, newest().hash])
  expect(hashes(revision)).toEqual([newest().hash])
  expect(hashes(cosignatures.since(0).revision)).toEqual([])
})

it('refuses what a witness has not signed, and what is none', async () => {
  const { cosignatures } = replica
  const forged = word(one).with(103, (word(one)[103] ?? 0) ^ 1)
  await expect(cosignatures.take(newest().bytes, [forged])).rejects.toThrow(InvalidEnvelopeError)
  await expect(cosignatures.take(newest().bytes, [new Uint8Array(7)])).rejects.toThrow(InvalidPayloadError)
  const flood = Array.from({ length: maxCosignatures + 1 }, () => word(one))
  await expect(cosignatures.take(newest().bytes, flood)).rejects.toThrow(LimitError)
  expect(cosignatures.witnessed(1)).toBeUndefined()
})

it('takes nothing about a place that it does not hold, or about another history', async () => {
  const { cosignatures } = replica
  const held = newest()
  await network.admit('later')
  await expect(take(one)).resolves.toBe(0)
  const forged = openCheckpoint(network.forgedCheckpoint(held.value.n), network.root.networkId)
  await expect(cosignatures.take(forged.bytes, [word(one, forged)])).resolves.toBe(0)
  // The control: the same witness about what is held.
  await expect(cosignatures.take(held.bytes, [word(one, held)])).resolves.toBe(1)
})

it('tells once of a witness that stands for two histories, and of nobody else', async () => {
  const { cosignatures } = replica
  const lies: Lie[] = []
  cosignatures.events.addEventListener('lie', ({ detail }) => lies.push(detail))
  const before = newest()
  await next()
  const forged = openCheckpoint(network.forgedCheckpoint(before.value.n), network.root.networkId)
  // Nothing is known of one yet, and two has stood for a place below alone.
  await cosignatures.take(before.bytes, [word(two, before)])
  const ahead = openCheckpoint(network.forgedCheckpoint(newest().value.n), network.root.networkId)
  await cosignatures.take(ahead.bytes, [word(one, ahead), word(two, ahead)])
  expect(lies).toEqual([])
  await take(one, three)
  const broken = word(three, forged).with(103, (word(three, forged)[103] ?? 0) ^ 1)
  await cosignatures.take(forged.bytes, [word(one, forged), broken])
  await cosignatures.take(forged.bytes, [word(one, forged)])
  expect(lies.map(({ witness }) => witness)).toEqual([one.publicKey])
  expect(lies[0]).toMatchObject({ held: { checkpoint: newest() }, other: { checkpoint: forged } })
  const [alarm] = replica.alarms.list().filter(({ code }) => code === 'witness_lies')
  expect(alarm?.message).toContain(peerIdText(one.publicKey))
  const { proof } = z.object({ proof: z.string() }).parse(alarm?.fields)
  const text = readFileSync(proof, 'utf8')
  for (const line of [before, newest()].map(({ value }) => `\n${value.n + 1}\n`)) expect(text).toContain(line)
})

it('knows the checkpoint of a word by its hash', async () => {
  const { cosignatures } = replica
  await expect(cosignatures.takeOf(newest().hash, [word(one)])).resolves.toBe(1)
  await expect(cosignatures.takeOf(new Uint8Array(32), [word(two)])).resolves.toBeUndefined()
})

it('counts the word of a revoked witness no more', async () => {
  await take(one, two)
  await network.root.admission.revoke(one.publicKey, 'stolen')
  await network.sync(replica)
  await take(two)
  expect(replica.cosignatures.witnessed(1)).toMatchObject({ by: 1, of: 2 })
  expect(replica.cosignatures.witnessed(2)).toBeUndefined()
})

it('counts those alone that the policy names, when it names some', async () => {
  const outside = SigningKey.generate()
  await network.root.admission.changePolicy({ witnessKeys: [outside.publicKey] })
  await network.sync(replica)
  await expect(take(one, outside)).resolves.toBe(1)
  expect(replica.cosignatures.witnessed(1)).toMatchObject({ by: 1, of: 1 })
})

it('counts the sixteen lowest keys of a larger set: one message brings the words of all', async () => {
  const more = Array.from({ length: 15 }, () => SigningKey.generate())
  for (const [index, key] of more.entries()) {
    const invite = await network.root.admission.invite({ role: 'secondary' })
    await network.root.admission.join(network.wish({ key, name: `more${index}`, role: 'secondary', invite }))
    await network.enter(key)
  }
  await network.sync(replica)
  const all = [...secondaries, ...more].toSorted((a, b) => Buffer.compare(a.publicKey, b.publicKey))
  await expect(take(...all.slice(0, maxCosignatures))).resolves.toBe(maxCosignatures)
  await expect(take(...all.slice(maxCosignatures))).resolves.toBe(0)
  expect(replica.cosignatures.witnessed(1)).toMatchObject({ by: maxCosignatures, of: maxCosignatures })
  expect(replica.cosignatures.of(newest())).toHaveLength(maxCosignatures)
})

it('tells words that come together once', async () => {
  const { events } = replica.cosignatures
  let told = 0
  events.addEventListener('cosigned', () => told++)
  const cosigned = new Promise((resolve) => events.addEventListener('cosigned', resolve, { once: true }))
  await take(one)
  await take(two)
  await cosigned
  expect(told).toBe(1)
})

it('keeps the words over a restart, and a store shows offline who stands for it', async () => {
  await take(one, two)
  await replica.close()
  const path = network.path('reader')
  await expect(verifyStore(path)).resolves.toMatchObject({
    cosignatures: 2,
    witnessed: { n: newest().value.n, by: 2, of: 3 }
  })
  const again = await network.openReplica('reader', reader)
  expect(again.cosignatures.witnessed(2)).toMatchObject({ by: 2, of: 3 })
})

it('takes a word after the close and keeps it nowhere: the store is gone', async () => {
  await replica.close()
  const timers = vi.spyOn(globalThis, 'setTimeout')
  await take(one)
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
})

it('a store with a word that its witness has not signed is found out', async () => {
  await take(one)
  const forged = word(one).with(103, (word(one)[103] ?? 0) ^ 1)
  await replica.close()
  const again = await network.openReplica('reader', reader)
  await storeWords(again.meta, [{ checkpoint: newest().bytes, cosignature: forged, heardMs: 1 }])
  expect(storedWords(again.meta)).toHaveLength(1)
  await again.close()
  await expect(verifyStore(network.path('reader'))).rejects.toThrow(StoreError)
})

it('words that the store has lost are heard again', async () => {
  await replica.meta.set('witness.words', new Uint8Array(3))
  expect(storedWords(replica.meta)).toEqual([])
})

it.each([
  ['checkpoint', () => ({ checkpoint: new Uint8Array(9), cosignature: word(one) })],
  ['cosignature', () => ({ checkpoint: newest().bytes, cosignature: new Uint8Array(9) })]
])('a stored %s that the disk has changed keeps no process from its start', async (_, damaged) => {
  await storeWords(replica.meta, [{ ...damaged(), heardMs: 1 }])
  await replica.close()
  replica = await network.openReplica('reader', reader)
  expect(replica.cosignatures.witnessed(1)).toBeUndefined()
  await expect(take(one)).resolves.toBe(1)
})
