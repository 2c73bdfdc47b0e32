import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeLink, type Link } from '../../../../src/content/link.ts'
import { digestKey } from '../../../../src/content/walk.ts'
import { sha256 } from '../../../../src/identity/hash.ts'
import { peerIdText } from '../../../../src/identity/keys.ts'
import { defaults } from '../../../../src/node/config/defaults.ts'
import type { Config } from '../../../../src/node/config/schema.ts'
import { storeKey, type Version } from '../../../../src/node/stores/store-entry.ts'
import { StoreFetches } from '../../../../src/node/stores/store-fetches.ts'
import { Stores } from '../../../../src/node/stores/stores.ts'
import type { BlockExchange } from '../../../../src/protocols/blocks/index.ts'
import { type StoreManifest, sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { filesOf, MemoryBlocks } from '../../../helpers/content/blocks.ts'
import { eventually } from '../../../helpers/network.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'
import { memoryFolder } from '../../../helpers/temp.ts'

const ownerKey = keyOf(5)
const from = peerIdFromString(peerIdText(ownerKey.publicKey))

let temp: ReturnType<typeof memoryFolder>
let shared: string
let owner: MemoryBlocks
let asked: string[]
let running: StoreFetches[]
let refused: string[]
beforeEach(() => {
  temp = memoryFolder()
  shared = join(temp.path, 'shared')
  mkdirSync(join(shared, 'sub'), { recursive: true })
  writeFileSync(join(shared, 'large'), randomBytes(700_000))
  writeFileSync(join(shared, 'sub/small'), 'la')
  owner = new MemoryBlocks()
  asked = []
  running = []
  refused = []
})
afterEach(async () => {
  await Promise.all(running.map((fetches) => fetches.stop()))
  temp[Symbol.dispose]()
})

const opened = (config: Partial<Config['stores']> = {}): Stores =>
  new Stores({
    folder: join(temp.path, 'stores'),
    networkId,
    key: keyOf(4),
    config: { ...defaults.stores, ...config },
    clock: systemClock,
    logger: silentLogger
  })

/** Gives what the owner has, and ends after so many blocks. */
const exchangeOf = (most = Number.POSITIVE_INFINITY): BlockExchange => ({
  async *fetch(wants) {
    let given = 0
    for await (const digest of wants) {
      const bytes = owner.all.get(digestKey(digest))
      if (bytes === undefined || given++ >= most) return
      asked.push(digestKey(digest))
      yield { digest, bytes, from }
    }
  }
})

function fetchesOf(stores: Stores, exchange = exchangeOf()): StoreFetches {
  const fetches = new StoreFetches({
    stores,
    exchange,
    sources: () => [from],
    nameOf: ({ name }) => `alice/${name}`,
    logger: silentLogger,
    onChange: () => {},
    onRefused: (entry, why) => refused.push(`${entry.name}: ${why}`)
  })
  running.push(fetches)
  return fetches
}

const versionOf = (root: Link, change: Partial<StoreManifest> = {}): Version =>
  sealStoreManifest(
    {
      networkId,
      publicKey: ownerKey.publicKey,
      seq: 1,
      name: 'music',
      root: encodeLink(root),
      sizeBytes: 700_002,
      files: 2,
      issuedMs: 1,
      removed: false,
      ...change
    },
    ownerKey
  )

const trouble = (stores: Stores, name = 'music'): string =>
  stores.troubles.get(storeKey(ownerKey.publicKey, name)) ?? ''

test('a store comes in whole, and its files into the folder that is wanted', async () => {
  const { root } = await owner.import(shared)
  const stores = opened()
  const entry = await stores.follow(versionOf(root), true)
  entry.folder = join(temp.path, 'copy')
  fetchesOf(stores).fill()
  await eventually(() => entry.writtenSeq === 1)
  expect([entry.coming, entry.versions.length]).toEqual([undefined, 1])
  expect(filesOf(join(temp.path, 'copy'))).toEqual(filesOf(shared))
  expect(asked).toHaveLength(owner.all.size)
  expect(trouble(stores)).toBe('')
})

test.each([1, 2, 4])(
  'broken off behind %i blocks and after a restart it goes on, and asks for nothing again',
  async (most) => {
    const { root } = await owner.import(shared)
    const before = opened()
    await before.follow(versionOf(root), true)
    const first = fetchesOf(before, exchangeOf(most))
    first.fill()
    await eventually(() => trouble(before).includes('nobody who can be reached'))
    await first.stop()
    const stores = opened()
    await stores.load()
    const [entry] = stores.list()
    fetchesOf(stores).fill()
    await eventually(() => entry?.versions.length === 1)
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked).toHaveLength(owner.all.size)
  }
)

describe('a version is refused, its blocks are given back and the one before stays', () => {
  const refuses = async (stores: Stores, version: Version, words: RegExp): Promise<void> => {
    const entry = await stores.follow(version, true)
    const fetches = fetchesOf(stores)
    fetches.fill()
    await eventually(() => fetches.isRefused(version))
    await eventually(() => fetches.bytesOf(entry) === undefined)
    expect(trouble(stores, version.value.name)).toMatch(words)
    expect(refused.at(-1)).toMatch(words)
    expect(entry.coming).toBeUndefined()
    await stores.collect(new AbortController().signal)
  }

  test('over the quota, with the names of what may go', async () => {
    const { root } = await owner.import(shared)
    const stores = opened({ quotaBytes: 1_048_576 })
    const first = await stores.follow(versionOf(root), true)
    fetchesOf(stores).fill()
    await eventually(() => first.versions.length === 1)
    const used = stores.usedBytes
    writeFileSync(join(shared, 'large'), randomBytes(700_000))
    const other = await owner.import(shared)
    await refuses(
      stores,
      versionOf(other.root, { name: 'maps' }),
      /no room for alice\/maps .*of alice\/music \(683\.6 KiB\)/
    )
    expect([stores.usedBytes, first.versions.length]).toEqual([used, 1])
    first.pinned = true
    await refuses(stores, versionOf(other.root, { name: 'maps', seq: 2 }), /no other store could go: raise it/)
  })

  test('larger than all stores may be: nothing is asked for', async () => {
    const { root } = await owner.import(shared)
    await refuses(
      opened(),
      versionOf(root, { sizeBytes: 2 ** 50 }),
      /there is no room for alice\/music \(1024\.0 TiB\).*it has more than that alone: raise it/
    )
    expect(asked).toEqual([])
  })

  test('of 10 million files: nothing is asked for', async () => {
    const { root } = await owner.import(shared)
    await refuses(opened(), versionOf(root, { files: 10_000_000 }), /10000000 files, and a store has at most 1000000/)
    expect(asked).toEqual([])
  })

  test('with more content than its manifest says', async () => {
    writeFileSync(join(shared, 'large'), randomBytes(20_000_000))
    const { root } = await owner.import(shared)
    await refuses(opened(), versionOf(root, { sizeBytes: 2 }), /its manifest says less.*its owner shares it anew/)
  })

  test('with a root that is no content', async () => {
    const bytes = Buffer.from('no node')
    const digest = sha256(bytes)
    owner.all.set(digestKey(digest), bytes)
    const stores = opened()
    await refuses(stores, versionOf({ codec: 'node', digest }), /is not as it should be/)
    expect(stores.usedBytes).toBe(0)
  })
})

test('when somebody asks again, what was refused is tried again', async () => {
  const { root } = await owner.import(shared)
  const stores = opened()
  const version = versionOf(root, { sizeBytes: 2 ** 50 })
  await stores.follow(version, true)
  const fetches = fetchesOf(stores)
  fetches.fill()
  await eventually(() => fetches.isRefused(version))
  fetches.again()
  expect([fetches.isRefused(version), trouble(stores)]).toEqual([false, ''])
})

test('a store that is removed while it comes is left at once, and does not come back', async () => {
  const { root } = await owner.import(shared)
  const stores = opened()
  const entry = await stores.follow(versionOf(root), true)
  const begun = Promise.withResolvers<void>()
  const fetches = fetchesOf(stores, {
    async *fetch(_, { signal }) {
      begun.resolve()
      yield await new Promise<never>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason))
      )
    }
  })
  fetches.fill()
  await begun.promise
  await fetches.without(entry, async () => {
    expect([fetches.bytesOf(entry), entry.coming?.value.seq, trouble(stores)]).toEqual([undefined, 1, ''])
    fetches.fill()
    expect(fetches.bytesOf(entry)).toBeUndefined()
    await stores.drop(entry)
  })
  fetches.fill()
  expect([fetches.bytesOf(entry), stores.list()]).toEqual([undefined, []])
})

test('a folder that is named while another one is written gets the files, too', async () => {
  const { root } = await owner.import(shared)
  const stores = opened()
  const entry = await stores.follow(versionOf(root), true)
  entry.folder = join(temp.path, 'first')
  const open = stores.open.bind(stores)
  stores.open = async () => {
    if (entry.versions.length === 1) entry.folder = join(temp.path, 'second')
    return await open()
  }
  fetchesOf(stores).fill()
  await eventually(() => entry.writtenSeq === 1)
  expect(filesOf(join(temp.path, 'second'))).toEqual(filesOf(shared))
})

test('files that a newer version has no more go, also after a restart', async () => {
  const first = await owner.import(shared)
  const before = opened()
  const entry = await before.follow(versionOf(first.root), true)
  entry.folder = join(temp.path, 'copy')
  const fetches = fetchesOf(before)
  fetches.fill()
  await eventually(() => entry.writtenSeq === 1)
  await fetches.stop()
  rmSync(join(shared, 'large'))
  const second = await owner.import(shared)
  const stores = opened()
  await stores.load()
  const again = await stores.follow(versionOf(second.root, { seq: 2 }), true)
  fetchesOf(stores).fill()
  await eventually(() => again.writtenSeq === 2)
  expect(filesOf(join(temp.path, 'copy'))).toEqual(filesOf(shared))
  expect(again.written.map(({ digest }) => digestKey(digest))).toEqual([digestKey(second.root.digest)])
})

test('a store of which more would be written than its manifest says is not', async () => {
  let file = owner.raw('0123456789')
  for (let level = 0, size = 10; level < 3; level++, size *= 20) {
    const parts = Array.from({ length: 20 }, () => ({ ...file, name: '' }))
    file = owner.node({ type: 'file', parts, sizes: parts.map(() => size), size: size * 20 })
  }
  const stores = opened()
  const entry = await stores.follow(versionOf(owner.folder({ file }), { sizeBytes: 100, files: 1 }), true)
  entry.folder = join(temp.path, 'copy')
  fetchesOf(stores).fill()
  await eventually(() => trouble(stores) !== '')
  expect(trouble(stores)).toMatch(/could not be written to its folder: .*more than 100 bytes/)
  expect([existsSync(join(entry.folder, 'file')), entry.writtenSeq]).toEqual([false, 0])
})

test('a disk that takes nothing is told, and it goes on when it can be written again', async () => {
  const { root } = await owner.import(shared)
  const stores = opened()
  const entry = await stores.follow(versionOf(root), true)
  await stores.open()
  const inTheWay = [...owner.all.keys()].map((key) => join(temp.path, 'stores/blocks', key.slice(0, 2)))
  for (const path of new Set(inTheWay)) writeFileSync(path, '')
  const fetches = fetchesOf(stores)
  fetches.fill()
  await eventually(() => trouble(stores).includes('could not be fetched'))
  expect([entry.coming?.value.seq, entry.versions]).toEqual([1, []])
  for (const path of new Set(inTheWay)) rmSync(path)
  await eventually(() => fetches.bytesOf(entry) === undefined)
  fetches.again()
  await eventually(() => entry.versions.length === 1 && trouble(stores) === '')
})

test('blocks that the disk has lost are fetched again when the files are written', async () => {
  const { root } = await owner.import(shared)
  const stores = opened()
  const entry = await stores.follow(versionOf(root), true)
  const fetches = fetchesOf(stores)
  fetches.fill()
  await eventually(() => entry.versions.length === 1 && fetches.bytesOf(entry) === undefined)
  const blocks = join(temp.path, 'stores/blocks')
  for (const name of readdirSync(blocks).slice(0, 2)) rmSync(join(blocks, name), { recursive: true })
  entry.folder = join(temp.path, 'copy')
  fetches.again()
  await eventually(() => {
    fetches.fill()
    return entry.writtenSeq === 1
  })
  expect(filesOf(join(temp.path, 'copy'))).toEqual(filesOf(shared))
})
