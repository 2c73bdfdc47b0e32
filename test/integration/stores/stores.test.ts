import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { linkText } from '../../../src/content/link.ts'
import type { StoreRow } from '../../../src/node/api/control-api.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { filesOf, MemoryBlocks } from '../../helpers/content/blocks.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
let folder: string
beforeEach(async () => {
  network = await TestNetwork.create()
  folder = join(network.folder, 'music')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  writeFileSync(join(folder, 'large'), randomBytes(1_500_000))
  writeFileSync(join(folder, 'sub/small'), 'la')
})
afterEach(() => network[Symbol.asyncDispose]())

const rowAt = (node: TrustNode, name = 'music'): StoreRow | undefined =>
  node.stores.list().find((row) => row.name === name)

/** Resolves when the node has that version in whole. */
const holds = (node: TrustNode, seq: number, name = 'music'): Promise<void> =>
  eventually(
    () => rowAt(node, name)?.heldSeq === seq,
    undefined,
    () => JSON.stringify(node.stores.list())
  )

test('a folder that one shares comes to those who follow it, unasked, with its CID and each new version', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann', { 'stores.fetch': 'all' })
  const ext = await network.join('ext', { role: 'external', 'stores.fetch': ['hal/music'] })
  const other = await network.join('other', { 'stores.fetch': ['maps'] })
  const shared = await hal.stores.add(folder, { watch: true })
  const { root } = await new MemoryBlocks().import(folder)
  expect(shared).toMatchObject({ state: 'shared', seq: 1, files: 2, cid: linkText(root) })
  for (const node of [ann, ext]) await holds(node, 1)
  expect(rowAt(ext)).toMatchObject({ state: 'complete', cid: linkText(root), owner: { name: 'hal' }, trouble: null })

  const to = join(network.folder, 'copy')
  expect(await ann.stores.sync('hal/music', { to })).toMatchObject({ folder: to, heldSeq: 1 })
  await eventually(() => ann.stores.list()[0]?.state === 'complete')
  expect(filesOf(to)).toEqual(filesOf(folder))

  writeFileSync(join(folder, 'sub/small'), 'lala')
  for (const node of [ann, ext]) await holds(node, 2)
  await eventually(() => readFileSync(join(to, 'sub/small'), 'utf8') === 'lala')
  expect(rowAt(other)?.heldSeq ?? null).toBeNull()
  expect((await other.stores.find()).map(({ name, state }) => [name, state])).toEqual([['music', 'offered']])
})

test('a node that keeps no records of others asks its registry for them', async () => {
  const hal = await network.join('hal')
  await hal.stores.add(folder)
  await eventually(() => network.node('root').registry.records.read(hal.key.publicKey)?.stores?.length === 1)
  const ann = await network.join('ann', { 'replication.enabled': false, 'stores.fetch': ['hal/music'] })
  await holds(ann, 1)
})

test('an owner that is gone is not needed: those who have it give it, and name it in their records', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann', { 'stores.fetch': 'all' })
  await hal.stores.add(folder)
  await holds(ann, 1)
  await eventually(() => network.node('root').registry.records.read(ann.key.publicKey)?.stores?.length === 1)
  await hal.stop('gone')
  const late = await network.join('late', {
    'stores.fetch': ['hal/music'],
    'bootstrap.peers': [network.address('root')]
  })
  await holds(late, 1)
  expect(rowAt(late)).toMatchObject({ cid: rowAt(ann)?.cid, owner: { name: 'hal' } })
})

test('blocks of an own store that the disk has changed are read again from its folder, and whoever fetches it waits for them', async () => {
  const hal = await network.join('hal')
  await hal.stores.add(folder)
  const blocks = join(hal.config.paths.data, 'stores/blocks')
  const files = readdirSync(blocks, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) writeFileSync(join(parentPath, name), 'changed')
  const ann = await network.join('ann', { 'stores.fetch': 'all' })
  await holds(ann, 1)
})

test('one that somebody has just added is found by whoever asks for it a moment too soon', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann')
  const synced = ann.stores.sync('music', { signal: AbortSignal.timeout(ceilingMs) })
  const [shared, here] = await Promise.all([hal.stores.add(folder), synced])
  expect(here).toMatchObject({ cid: shared.cid, state: 'complete' })
  await expect(ann.stores.sync('maps', { signal: AbortSignal.timeout(100) })).rejects.toThrow(/no store maps is known/)
})

test('what is here stays over a restart, and is served without its folder', async () => {
  const hal = await network.join('hal')
  await hal.stores.add(folder)
  const { port } = hal.attached
  await hal.stop('for a while')
  renameSync(folder, `${folder}-away`)
  const again = await network.start('hal', { 'listen.port': port, 'bootstrap.peers': [network.address('root')] })
  await again.joined()
  const ann = await network.join('ann', { 'stores.fetch': 'all' })
  await holds(ann, 1)
  const { port: annPort } = ann.attached
  await ann.stop('for a while')
  await again.stop('gone')
  const back = await network.start('ann', { 'listen.port': annPort, 'bootstrap.peers': [network.address('root')] })
  // The configuration names it no more, so it goes; what an operator asks for stays.
  await eventually(() => back.stores.list().every(({ state }) => state === 'offered'))
})

test('a store over the quota is refused with the names of what may go, and comes when there is room', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann', { 'stores.fetch': 'all', 'stores.quotaBytes': 2_500_000 })
  await hal.stores.add(folder)
  await holds(ann, 1)
  const second = join(network.folder, 'maps')
  mkdirSync(second)
  writeFileSync(join(second, 'large'), randomBytes(1_500_000))
  await hal.stores.add(second)
  await eventually(() => rowAt(ann, 'maps')?.state === 'refused')
  expect(rowAt(ann, 'maps')?.trouble).toMatch(/there is no room for hal\/maps .*trustnet store remove, of hal\/music/)
  expect(rowAt(ann)).toMatchObject({ state: 'complete', heldSeq: 1 })
  await ann.stores.remove('music')
  expect(await ann.stores.sync('maps')).toMatchObject({ state: 'complete', heldSeq: 1 })
  expect(rowAt(ann)?.state).toBe('offered')
})

test('a revoked owner is followed no more: what is here stays, or goes where the configuration says so', async () => {
  const hal = await network.join('hal')
  const keeps = await network.join('keeps', { 'stores.fetch': 'all' })
  const drops = await network.join('drops', { 'stores.fetch': 'all', 'stores.revoked': 'drop' })
  const pins = await network.join('pins', { 'stores.fetch': 'all', 'stores.revoked': 'drop' })
  await hal.stores.add(folder)
  for (const node of [keeps, drops, pins]) await holds(node, 1)
  await pins.stores.pin('music')
  await network.node('root').control.revoke({ peer: 'hal', reason: 'stolen' })
  await eventually(() => drops.stores.list().length === 0)
  await eventually(() => keeps.registry.replica.state.isRevoked(hal.key.publicKey))
  for (const node of [keeps, pins]) expect(node.stores.list()).toMatchObject([{ name: 'music', heldSeq: 1 }])
  await eventually(() => drops.attached.stores.usedBytes === 0)
})

test('an owner that has another key is followed on, and nothing is dropped or fetched again for it', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann', { 'stores.revoked': 'drop' })
  await hal.stores.add(folder, { watch: true })
  await eventually(async () => (await ann.stores.find()).length === 1)
  await ann.stores.sync('hal/music')
  const before = hal.peerId
  await hal.control.rotateIdentity({})
  await eventually(() => hal.peerId !== before && rowAt(ann)?.owner.peerId === hal.peerId)
  await eventually(() => rowAt(ann)?.state === 'complete' && rowAt(ann)?.heldSeq === 2)
  writeFileSync(join(folder, 'sub/small'), 'lala')
  await holds(ann, 3)
  expect(ann.stores.list()).toHaveLength(1)
})

test('a store that its owner removes goes everywhere; files that were written stay', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann', { 'stores.fetch': 'all' })
  await hal.stores.add(folder)
  const to = join(network.folder, 'copy')
  await eventually(() => rowAt(ann) !== undefined)
  await ann.stores.sync('music', { to })
  await hal.stores.remove('music')
  await eventually(() => ann.stores.list().length === 0)
  expect(hal.stores.list()).toEqual([])
  expect(filesOf(to)).toEqual(filesOf(folder))
})

test('folders with keys, what is no folder and what cannot be shared are refused in words', async () => {
  const hal = await network.join('hal')
  const add = (path: string) => hal.stores.add(path)
  await expect(add(hal.config.paths.data)).rejects.toThrow(/keys or its database/)
  await expect(add(network.folder)).rejects.toThrow(/keys or its database/)
  await expect(add('/')).rejects.toThrow(/keys or its database/)
  symlinkSync(hal.config.paths.data, join(network.folder, 'link'))
  await expect(add(join(network.folder, 'link'))).rejects.toThrow(/keys or its database/)
  await expect(add(join(folder, 'large'))).rejects.toThrow(/is no folder/)
  await expect(add('music')).rejects.toThrow(/no absolute path/)
  await expect(hal.stores.add(folder, { name: 'My Music' })).rejects.toThrow(/no name of a store/)
  symlinkSync('/etc/passwd', join(folder, 'passwd'))
  await expect(add(folder)).rejects.toThrow(/is a symbolic link/)
  rmSync(join(folder, 'passwd'))
  expect(await add(folder)).toMatchObject({ state: 'shared', trouble: null })
  const to = join(folder, 'into')
  const ann = await network.join('ann')
  const maps = join(network.folder, 'maps')
  mkdirSync(maps)
  writeFileSync(join(maps, 'map'), 'm')
  await ann.stores.add(maps)
  await eventually(async () => (await hal.stores.find()).some(({ name }) => name === 'maps'))
  await expect(hal.stores.sync('ann/maps', { to })).rejects.toThrow(/is in the way of hal\/music/)
  await expect(hal.stores.sync('ann/maps', { to: hal.config.paths.data })).rejects.toThrow(/keys or its database/)
  const full = join(network.folder, 'full')
  mkdirSync(full)
  writeFileSync(join(full, 'map'), 'mine')
  await expect(hal.stores.sync('ann/maps', { to: full })).rejects.toThrow(/is not empty/)
  expect(readFileSync(join(full, 'map'), 'utf8')).toBe('mine')
  await expect(hal.stores.sync('none')).rejects.toThrow(/no store none is known/)
})

test('two members with one name: a plain name means neither of them, and a name with its owner one', async () => {
  const hal = await network.join('hal')
  const ann = await network.join('ann')
  await hal.stores.add(folder)
  await ann.stores.add(folder)
  const late = await network.join('late')
  await eventually(async () => (await late.stores.find()).length === 2)
  Object.assign(late.config.stores, { fetch: ['music'] })
  late.attached.storeKeeper?.wake()
  await eventually(() => late.stores.list().some(({ trouble }) => trouble?.includes('several members') === true))
  expect(late.stores.list().every(({ state }) => state === 'offered')).toBe(true)
  await expect(late.stores.sync('music')).rejects.toThrow(/name one of .*ann\/music|hal\/music/)
  expect(await late.stores.sync('ann/music')).toMatchObject({ owner: { name: 'ann' }, state: 'complete' })
})
