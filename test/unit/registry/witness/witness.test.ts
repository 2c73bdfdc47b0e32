import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Registry } from '../../../../src/registry/registry.ts'
import { readCosignature } from '../../../../src/registry/witness/cosignature.ts'
import { MarkFile } from '../../../../src/registry/witness/mark-file.ts'
import { type Outcome, Witness } from '../../../../src/registry/witness/witness.ts'
import { StoreError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const key = SigningKey.generate()
let network: RealNetwork
let registry: Registry
let path: string

beforeEach(async () => {
  const folder = tempFolder()
  network = await RealNetwork.create()
  onTestFinished(async () => {
    await network[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  path = join(folder.path, 'witness.json')
  const invite = await network.root.admission.invite({ role: 'secondary' })
  await network.root.admission.join(network.wish({ key, name: 'second', role: 'secondary', invite }))
  await network.enter(key)
  registry = await network.openReplica('second', key)
})

/** A process that starts with the store and the mark that are there. */
const started = ({ isRestored = false, of = registry } = {}): Witness =>
  new Witness({
    replica: of.replica,
    key,
    cosignatures: of.cosignatures,
    mark: new MarkFile(path),
    meta: of.meta,
    isRestored: () => isRestored,
    clock: network.clock
  })
const kindOf = async (outcome: Promise<Outcome>): Promise<string> => (await outcome).kind
const grow = async (): Promise<void> => {
  await network.admit(`m${network.root.replica.head.n}`)
  await network.sync(registry)
}

it('signs each newest checkpoint once, its place on the disk before', async () => {
  const witness = started()
  const outcome = await witness.sign(true)
  if (outcome.kind !== 'signed') throw new Error(outcome.kind)
  expect(readCosignature(outcome.cosignature).witness).toEqual(key.publicKey)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ epoch: 0, n: registry.replica.head.n })
  expect(registry.cosignatures.witnessed(1)).toMatchObject({ by: 1, of: 1 })
  await expect(kindOf(witness.sign(true))).resolves.toBe('idle')
  await grow()
  await expect(kindOf(witness.sign(true))).resolves.toBe('signed')
})

it('signs nothing when it is no witness', async () => {
  await network.root.admission.changePolicy({ witnessKeys: [SigningKey.generate().publicKey] })
  await network.sync(registry)
  await expect(kindOf(started().sign(true))).resolves.toBe('idle')
})

it('signs nothing when its place cannot be written', async () => {
  const refused = new MarkFile('/proc/nothing/witness.json')
  const { replica, cosignatures, meta } = registry
  const init = { replica, cosignatures, meta, key, mark: refused, isRestored: () => false, clock: network.clock }
  await expect(new Witness(init).sign(true)).rejects.toThrow(/ENOENT/)
  expect(registry.cosignatures.witnessed(1)).toBeUndefined()
})

it('signs no other history than before, also after a restart', async () => {
  await started().sign(true)
  const { n } = registry.replica.head
  const headHash = 'cd'.repeat(32)
  writeFileSync(path, JSON.stringify({ schema: 1, epoch: 0, n, headHash }))
  await expect(started().sign(true)).resolves.toMatchObject({ kind: 'other-history', mark: { n } })
  await grow()
  await expect(kindOf(started().sign(true))).resolves.toBe('other-history')
})

it('signs nothing below what it has signed, as a store from a backup would have it', async () => {
  const backup = await network.openReplica('backup', key)
  await grow()
  await started().sign(true)
  await expect(kindOf(started({ of: backup, isRestored: true }).sign(true))).resolves.toBe('idle')
  await network.sync(backup)
  await grow()
  await network.sync(backup)
  await expect(kindOf(started({ of: backup, isRestored: true }).sign(true))).resolves.toBe('signed')
})

it('waits for the heads of all others when it has signed and its mark is gone', async () => {
  await started().sign(true)
  rmSync(path)
  await grow()
  await expect(kindOf(started().sign(false))).resolves.toBe('unknown-past')
  await expect(kindOf(started().sign(true))).resolves.toBe('signed')
})

it('waits for them in a restored store without a mark, too, and not in a new one', async () => {
  await expect(kindOf(started({ isRestored: true }).sign(false))).resolves.toBe('unknown-past')
  await expect(kindOf(started().sign(false))).resolves.toBe('signed')
})

it('takes the word of its own that others hold for its mark', async () => {
  await started().sign(true)
  const old = readFileSync(path)
  await grow()
  await started().sign(true)
  const { checkpoints } = registry.cosignatures.since(0)
  const again = await network.openReplica('again', key)
  writeFileSync(path, old)
  for (const { checkpoint, cosignatures } of checkpoints) await again.cosignatures.take(checkpoint.bytes, cosignatures)
  await started({ of: again }).sign(true)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ n: again.replica.head.n })
})

it('does not take a mark that cannot be read for none', async () => {
  writeFileSync(path, '{"schema":1,')
  await expect(started().sign(true)).rejects.toThrow(StoreError)
  expect(registry.cosignatures.witnessed(1)).toBeUndefined()
})
