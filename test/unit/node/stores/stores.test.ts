import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeLink, encodeLink, linkText } from '../../../../src/content/link.ts'
import { sha256 } from '../../../../src/identity/hash.ts'
import type { SigningKey } from '../../../../src/identity/keys.ts'
import { defaults } from '../../../../src/node/config/defaults.ts'
import type { Config } from '../../../../src/node/config/schema.ts'
import { digestOf, newestOf } from '../../../../src/node/stores/store-entry.ts'
import { Stores } from '../../../../src/node/stores/stores.ts'
import { openStoreManifest, sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { MemoryBlocks } from '../../../helpers/content/blocks.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'
import { memoryFolder } from '../../../helpers/temp.ts'

const { signal } = new AbortController()
let temp: ReturnType<typeof memoryFolder>
let folder: string
beforeEach(() => {
  temp = memoryFolder()
  folder = join(temp.path, 'music')
  mkdirSync(folder)
  writeFileSync(join(folder, 'song'), 'la')
})
afterEach(() => temp[Symbol.dispose]())

const opened = (key: SigningKey = keyOf(4), config: Partial<Config['stores']> = {}): Stores =>
  new Stores({
    folder: join(temp.path, 'stores'),
    networkId,
    key,
    config: { ...defaults.stores, ...config },
    clock: systemClock,
    logger: silentLogger
  })

/** A version of a store of somebody else, with the root of what this node has or has not. */
const versionOf = (key: SigningKey, name: string, seq: number, root: Uint8Array) =>
  sealStoreManifest(
    { networkId, publicKey: key.publicKey, seq, name, root, sizeBytes: 2, files: 1, issuedMs: 1, removed: false },
    key
  )

async function shared(stores: Stores, name = 'music') {
  const entry = await stores.share(name, folder, false)
  await stores.readFolder(entry, signal)
  return entry
}

describe('a shared folder', () => {
  test('gets a signed version with the CID that other tools give it, and a new one only when it has changed', async () => {
    const stores = opened()
    const entry = await shared(stores)
    const [first] = entry.versions
    const { root } = await new MemoryBlocks().import(folder)
    expect(first?.value).toMatchObject({ seq: 1, name: 'music', files: 1, sizeBytes: 2, removed: false })
    expect(linkText(decodeLink(first?.value.root ?? new Uint8Array()))).toBe(linkText(root))
    expect(openStoreManifest(first?.bytes ?? new Uint8Array(), networkId).value).toEqual(first?.value)
    expect(await stores.readFolder(entry, signal)).toBe(false)
    writeFileSync(join(folder, 'song'), 'lala')
    expect(await stores.readFolder(entry, signal)).toBe(true)
    expect(entry.versions.map(({ value }) => value.seq)).toEqual([2])
  })

  test('is named in the record, and its manifest and blocks are given to whoever asks, also after a restart', async () => {
    const before = opened()
    const entry = await shared(before)
    const stores = opened()
    await stores.open()
    const [named] = stores.announced()
    expect(named).toEqual(before.announced()[0])
    const bytes = await stores.read(named?.digest ?? new Uint8Array(32))
    expect(bytes).toEqual(entry.versions[0]?.bytes)
    expect(sha256(bytes ?? new Uint8Array())).toEqual(named?.digest)
    const { digest } = decodeLink(entry.versions[0]?.value.root ?? new Uint8Array())
    expect(sha256((await stores.read(digest)) ?? new Uint8Array())).toEqual(digest)
    expect(await stores.read(new Uint8Array(32))).toBeUndefined()
  })

  test('has the content of as many versions as `keep` says, also after a restart, and no older', async () => {
    const held = async (stores: Stores) => {
      await stores.collect(signal)
      const blocks = await stores.open()
      const contents = ['la', 'lala', 'lalala'].map((text) => sha256(Buffer.from(text)))
      return await Promise.all(contents.map((digest) => blocks.has(digest)))
    }
    const stores = opened(keyOf(4), { keep: 2 })
    const entry = await shared(stores)
    const seqs = () => entry.versions.map(({ value }) => value.seq)
    for (const text of ['lala', 'lalala']) {
      writeFileSync(join(folder, 'song'), text)
      await stores.readFolder(entry, signal)
      if (text === 'lala')
        expect([seqs(), await held(stores)]).toEqual([
          [2, 1],
          [true, true, false]
        ])
    }
    expect([seqs(), await held(stores)]).toEqual([
      [3, 2],
      [false, true, true]
    ])
    const again = opened(keyOf(4), { keep: 2 })
    await again.load()
    expect(await held(again)).toEqual([false, true, true])
  })

  test('that is removed leaves a last version that says so, and its room', async () => {
    const stores = opened()
    const entry = await shared(stores)
    await stores.unshare(entry)
    expect(entry.versions.map(({ value }) => [value.seq, value.removed])).toEqual([[2, true]])
    expect(stores.announced()).toHaveLength(1)
    expect(await stores.collect(signal)).toBeGreaterThan(0)
    expect(stores.usedBytes).toBe(0)
    await shared(stores)
    expect(entry.versions[0]?.value).toMatchObject({ seq: 3, removed: false })
  })

  test('that is removed while it is read for the first time is shared with nobody', async () => {
    const stores = opened()
    const entry = await stores.share('music', folder, false)
    await stores.open()
    const read = stores.readFolder(entry, signal)
    await Promise.resolve()
    await stores.unshare(entry)
    expect(await read).toBe(false)
    expect([stores.list(), stores.announced()]).toEqual([[], []])
  })

  test('that was over the quota is shared when it is smaller: what was read of it takes no room', async () => {
    const stores = opened(keyOf(4), { quotaBytes: 1_048_576 })
    const entry = await shared(stores)
    const used = stores.usedBytes
    for (const name of 'ab') writeFileSync(join(folder, name), randomBytes(900_000))
    await expect(stores.readFolder(entry, signal)).rejects.toThrow(/remove a store, or raise it/)
    expect(stores.usedBytes).toBe(used)
    rmSync(join(folder, 'a'))
    expect(await stores.readFolder(entry, signal)).toBe(true)
  })

  test('has the room of what was begun before a kill and leads nowhere', async () => {
    const stores = opened(keyOf(4), { quotaBytes: 1_048_576 })
    const bytes = randomBytes(900_000)
    await (await stores.open()).put(sha256(bytes), bytes)
    writeFileSync(join(folder, 'a'), randomBytes(900_000))
    await shared(stores)
    expect(stores.announced()).toHaveLength(1)
  })

  test('keeps its name; a ninth store is refused', async () => {
    const stores = opened()
    await shared(stores)
    await expect(stores.share('music', temp.path, false)).rejects.toThrow(/is shared as music here/)
    for (const name of 'abcdefg') await stores.share(name, folder, false)
    await expect(stores.share('h', folder, false)).rejects.toThrow('at most 8 stores')
  })

  test('of which others show a newer version gets a newer one: this node was restored', async () => {
    const stores = opened()
    const entry = await shared(stores)
    const root = entry.versions[0]?.value.root ?? new Uint8Array()
    expect(stores.sawOwn(versionOf(keyOf(4), 'music', 7, root))).toBe(true)
    expect(stores.sawOwn(versionOf(keyOf(4), 'music', 7, root))).toBe(false)
    expect(await stores.readFolder(entry, signal)).toBe(true)
    expect(entry.versions[0]?.value.seq).toBe(8)
    expect(stores.sawOwn(versionOf(keyOf(4), 'other', 7, root))).toBe(false)
  })

  test('is signed anew by the next key of the node', async () => {
    await shared(opened())
    const stores = opened(keyOf(9))
    await stores.load()
    expect(stores.list()).toMatchObject([
      { owner: keyOf(9).publicKey, isOwn: true, folder, versions: [{ value: { seq: 2 } }] }
    ])
  })
})

describe('a store of another', () => {
  const root = Uint8Array.of(1, 0x70, 0x12, 32, ...new Uint8Array(32).fill(5))

  test('is fetched from its newest version on, which replaces those of before as `keep` says', async () => {
    const stores = opened(keyOf(4), { keep: 2 })
    const versions = [1, 2, 3].map((seq) => versionOf(keyOf(5), 'maps', seq, root))
    const [one, two, three] = versions
    if (one === undefined || two === undefined || three === undefined) throw new Error('three versions')
    const entry = await stores.follow(two, false)
    await stores.follow(one, false)
    expect(entry.coming).toBe(two)
    await stores.completed(entry, two)
    expect([entry.coming, entry.versions]).toEqual([undefined, [two]])
    await stores.follow(three, true)
    expect([newestOf(entry), entry.asked]).toEqual([three, true])
    const again = opened()
    await again.load()
    expect(again.list()).toMatchObject([{ name: 'maps', isOwn: false, asked: true, coming: { value: { seq: 3 } } }])
  })

  test('keeps what came of a version that another one has replaced, until that is here or a store is dropped', async () => {
    const stores = opened()
    const blocks = await stores.open()
    const bytes = Buffer.from('of the first version')
    const digest = sha256(bytes)
    const first = versionOf(keyOf(5), 'maps', 1, encodeLink({ codec: 'raw', digest }))
    const second = versionOf(keyOf(5), 'maps', 2, root)
    const entry = await stores.follow(first, true)
    await blocks.put(digest, bytes)
    await stores.follow(second, false)
    await stores.tidy(signal)
    expect(await blocks.has(digest)).toBe(true)
    await stores.completed(entry, second)
    await stores.tidy(signal)
    expect(await blocks.has(digest)).toBe(false)
    await blocks.put(digest, bytes)
    await stores.follow(versionOf(keyOf(5), 'maps', 3, root), false)
    await stores.drop(await stores.follow(versionOf(keyOf(6), 'music', 1, root), true))
    await stores.tidy(signal)
    expect(await blocks.has(digest)).toBe(false)
  })

  test('is one entry for all who follow it at once', async () => {
    const stores = opened()
    const version = versionOf(keyOf(7), 'music', 1, root)
    const [first, second] = await Promise.all([stores.follow(version, false), stores.follow(version, true)])
    expect(first).toBe(second)
    expect(stores.get(keyOf(7).publicKey, 'music')).toBe(first)
  })

  test('is named behind those of its own, without those for which there is no place', async () => {
    const stores = opened()
    for (const name of 'zyxwvuts') await stores.follow(versionOf(keyOf(5), name, 1, root), false)
    await shared(stores)
    await shared(stores, 'own')
    expect(stores.announced().map(({ name }) => name)).toEqual(['music', 'own', 's', 't', 'u', 'v', 'w', 'x'])
    const pinned = stores.get(keyOf(5).publicKey, 'z')
    if (pinned !== undefined) pinned.pinned = true
    expect(stores.announced().map(({ name }) => name)).toContain('z')
    expect(stores.announced()[2]?.digest).toEqual(digestOf(versionOf(keyOf(5), 'z', 1, root)))
  })
})

test('what a killed process left half written is gone, and a file that cannot be read is named and left', async () => {
  await shared(opened())
  const list = join(temp.path, 'stores/list')
  const [file = ''] = readdirSync(list)
  writeFileSync(join(list, '.part-0011'), 'half')
  writeFileSync(
    join(list, 'other.json'),
    readFileSync(join(list, file), 'utf8').replace(/"[A-Za-z0-9+/=]{40,}"/, '"AAAA"')
  )
  const stores = opened()
  await stores.load()
  expect(stores.list()).toHaveLength(1)
  expect(readdirSync(list).toSorted()).toEqual([file, 'other.json'].toSorted())
})

test('a node without stores makes no folder', async () => {
  const stores = opened()
  expect(stores.isUsed).toBe(false)
  expect(stores.announced()).toEqual([])
  expect(await stores.read(new Uint8Array(32))).toBeUndefined()
  expect(readdirSync(temp.path)).toEqual(['music'])
  rmSync(folder, { recursive: true })
})
