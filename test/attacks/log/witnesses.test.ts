import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, onTestFinished } from 'vitest'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import type { Policy } from '../../../src/registry/objects/policy/policy.ts'
import { openRegistry, type Registry } from '../../../src/registry/registry.ts'
import { cosign } from '../../../src/registry/witness/cosignature.ts'
import { MarkFile } from '../../../src/registry/witness/mark-file.ts'
import { type Outcome, Witness } from '../../../src/registry/witness/witness.ts'
import { RealNetwork } from '../../helpers/real-network.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'

const hour = 3_600_000
const witnesses = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()] as const
const [one, two, three] = witnesses
const names = ['one', 'two', 'three']
let network: RealNetwork

beforeEach(async () => {
  network = await RealNetwork.create()
  onTestFinished(() => network[Symbol.asyncDispose]())
  for (const [index, key] of witnesses.entries()) {
    const invite = await network.root.admission.invite({ role: 'secondary' })
    await network.root.admission.join(network.wish({ key, name: names[index] ?? '', role: 'secondary', invite }))
    await network.enter(key)
  }
})

/** A registry that ends with the test. */
async function open(name: string, init: Partial<Parameters<typeof openRegistry>[0]>): Promise<Registry> {
  const genesis = network.root.genesis.bytes
  const { clock } = network
  const base = { path: network.path(name), role: 'integrated' as const, nodeKey: SigningKey.generate(), genesis }
  const registry = await openRegistry({ ...base, ...init }, { clock })
  onTestFinished(() => registry.close())
  return registry
}

/** A thief who has the store of the root and its log key, and goes on from there. */
async function thief(): Promise<Registry> {
  const path = network.path('thief')
  mkdirSync(dirname(path), { recursive: true })
  await network.root.backup(path)
  return await open('thief', { path, role: 'root', nodeKey: network.rootKey, root: { logKey: network.logKey } })
}

async function admitBy(root: Registry, name: string): Promise<SigningKey> {
  const key = SigningKey.generate()
  await root.admission.join(network.wish({ key, name, invite: await root.admission.invite({ role: 'integrated' }) }))
  return key
}

/** All that one registry has goes to another, with the words of these witnesses. */
async function show(from: Registry, to: Registry, ...keys: SigningKey[]): Promise<void> {
  const { checkpoint } = from.replica
  if (checkpoint === undefined) throw new Error('no checkpoint')
  const entries = from.replica.read(to.replica.head.n, 2 ** 24).map(({ envelope }) => envelope)
  await to.replica.apply(entries, checkpoint.bytes)
  for (const key of keys) await to.cosignatures.take(checkpoint.bytes, [cosign(checkpoint, key, network.clock.now())])
}

describe('a thief of the log key who shows one newcomer a history of its own', () => {
  /** The newcomer counts the thief's member, some hours later. */
  async function isTaken(needed: number, ...helpers: SigningKey[]): Promise<boolean> {
    await network.root.admission.changePolicy({ witnesses: needed })
    const evil = await thief()
    const mallory = await admitBy(evil, 'mallory')
    network.clock.advance(2 * hour)
    await evil.root?.checkpoint()
    const newcomer = await open('newcomer', {})
    await show(evil, newcomer, ...helpers)
    return newcomer.replica.isMember(mallory.publicKey)
  }

  attack('no witness helps', async () => {
    await expect(isTaken(2)).resolves.toBe(false)
    return {
      happened: 'a member of the thief was shown for two hours: nobody',
      held: 'two witnesses have to stand for it'
    }
  })

  attack('one of three witnesses lies', async () => {
    await expect(isTaken(2, one)).resolves.toBe(false)
    return {
      happened: 'one witness signed the history of the thief: its member is nobody',
      held: 'the policy needs two'
    }
  })

  /** Fields of the alarm of a member who hears that a witness stands for the thief's history, and these for the true one. */
  async function named(...keys: SigningKey[]): Promise<object | undefined> {
    const member = await open('member', {})
    const evil = await thief()
    await admitBy(evil, 'mallory')
    for (const name of ['alice', 'bob']) await admitBy(network.root, name)
    await show(network.root, member, ...keys)
    const { checkpoint } = evil.replica
    if (checkpoint === undefined) throw new Error('no checkpoint')
    await member.cosignatures.take(checkpoint.bytes, [cosign(checkpoint, one, network.clock.now())])
    return member.alarms.list().find(({ code }) => code === 'witness_lies')?.fields
  }

  attack('a witness signs both: the true history for all others, and that of the thief', async () => {
    await expect(named(one, two, three)).resolves.toMatchObject({ witness: peerIdText(one.publicKey) })
    return {
      happened: 'a member that heard of both named it, and kept both words',
      held: 'a word is signed by its witness'
    }
  })

  control('a witness that has signed one history alone is not named', async () => {
    await expect(named(two, three)).resolves.toBeUndefined()
  })

  control('no witness is needed', async () => {
    await expect(isTaken(0)).resolves.toBe(true)
  })

  control('as many witnesses help as the policy needs', async () => {
    await expect(isTaken(2, one, two)).resolves.toBe(true)
  })

  attack('the words of the witnesses about the true history are played with it', async () => {
    await network.root.admission.changePolicy({ witnesses: 2 })
    const evil = await thief()
    const mallory = await admitBy(evil, 'mallory')
    await admitBy(network.root, 'alice')
    network.clock.advance(2 * hour)
    await evil.root?.checkpoint()
    const newcomer = await open('newcomer', {})
    await show(evil, newcomer)
    const { checkpoint } = network.root.replica
    if (checkpoint === undefined) throw new Error('no checkpoint')
    const words = witnesses.map((key) => cosign(checkpoint, key, network.clock.now()))
    await newcomer.cosignatures.take(checkpoint.bytes, words)
    expect(newcomer.replica.isMember(mallory.publicKey)).toBe(false)
    await newcomer.replica.observe(checkpoint.bytes).catch(() => {})
    expect(newcomer.replica.isForked).toBe(true)
    return {
      happened: 'three words for another history: none counted, and a fork is seen',
      held: 'a word is about one head'
    }
  })
})

describe('a thief of the log key who shows a member a history of its own', () => {
  /** The member counts the thief's, after the change of the policy that the thief enters. */
  async function isTaken(changes: Partial<Policy>, ...helpers: SigningKey[]): Promise<boolean> {
    await network.root.admission.changePolicy({ witnesses: 2 })
    const member = await open('member', {})
    await show(network.root, member, one, two)
    const evil = await thief()
    await evil.admission.changePolicy(changes)
    const mallory = await admitBy(evil, 'mallory')
    network.clock.advance(2 * hour)
    await evil.root?.checkpoint()
    await show(evil, member, ...helpers)
    expect(member.replica.state.member(mallory.publicKey)).toBeDefined()
    return member.replica.isMember(mallory.publicKey)
  }

  attack('its policy asks for nothing, names witnesses of its own, or a long grace', async () => {
    const own = [SigningKey.generate(), SigningKey.generate()]
    const witnessKeys = own.map(({ publicKey }) => publicKey).toSorted((a, b) => Buffer.compare(a, b))
    await expect(isTaken({ witnesses: 0, witnessKeys, witnessGraceMs: 1_000 * hour }, ...own)).resolves.toBe(false)
    return {
      happened: 'its policy and two words of its own witnesses were shown: its member is nobody',
      held: 'what is needed is said by the policy of the last place that the witnesses have seen'
    }
  })

  control('the witnesses of the network help', async () => {
    await expect(isTaken({ openGrants: 7 }, one, two)).resolves.toBe(true)
  })
})

describe('a witness that was restored from a backup', () => {
  const folder = tempFolder()
  afterAll(() => folder[Symbol.dispose]())

  /** The store of a backup follows another history than the one that the witness has signed since. */
  async function lookAt(name: string, isInBackup: boolean): Promise<Outcome> {
    const witnessAt = ({ replica, cosignatures, meta }: Registry, file: string): Witness => {
      const mark = new MarkFile(join(folder.path, file))
      return new Witness({
        replica,
        cosignatures,
        meta,
        key: three,
        mark,
        isRestored: () => false,
        clock: network.clock
      })
    }
    const backup = await open('backup', { role: 'secondary', nodeKey: three })
    await show(network.root, backup)
    const evil = await thief()
    const live = await open('live', { role: 'secondary', nodeKey: three })
    await admitBy(network.root, 'alice')
    await show(network.root, live)
    await expect(witnessAt(live, name).sign(true)).resolves.toMatchObject({ kind: 'signed' })
    for (const each of ['mallory', 'mike']) await admitBy(evil, each)
    await show(evil, backup)
    return await witnessAt(backup, isInBackup ? `${name}-old` : name).sign(true)
  }

  attack('it is shown another history', async () => {
    await expect(lookAt('beside', false)).resolves.toMatchObject({ kind: 'other-history' })
    return {
      happened: 'a restored witness was shown other entries than it had signed: it signed nothing',
      held: 'the highest place that it has signed is in no backup'
    }
  })

  control('what it has signed lies in the backup, too', async () => {
    await expect(lookAt('inside', true)).resolves.toMatchObject({ kind: 'signed' })
  })
})
