import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeLink } from '../../../../src/content/link.ts'
import { digestKey } from '../../../../src/content/walk.ts'
import { peerIdText } from '../../../../src/identity/keys.ts'
import { defaults } from '../../../../src/node/config/defaults.ts'
import { ManifestFetches } from '../../../../src/node/stores/manifest-fetches.ts'
import { Offers } from '../../../../src/node/stores/offers.ts'
import { digestOf, type Version } from '../../../../src/node/stores/store-entry.ts'
import { Stores } from '../../../../src/node/stores/stores.ts'
import type { FetchOptions } from '../../../../src/protocols/blocks/block.ts'
import { sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { aborted } from '../../../../src/runtime/abort.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { eventually } from '../../../helpers/network.ts'
import { TestClock } from '../../../helpers/real-network.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'
import { memoryFolder } from '../../../helpers/temp.ts'

let temp: ReturnType<typeof memoryFolder>
let offers: Offers
let stores: Stores
let clock: TestClock
let manifests: ManifestFetches
/** Digests that are being asked for, with the signal of each fetch. */
let asked: Map<string, FetchOptions>
let had: Map<string, Uint8Array>
let came: number
let isSilent: boolean

beforeEach(() => {
  temp = memoryFolder()
  offers = new Offers()
  clock = new TestClock()
  asked = new Map()
  had = new Map()
  came = 0
  isSilent = true
  stores = new Stores({
    folder: join(temp.path, 'stores'),
    networkId,
    key: keyOf(4),
    config: defaults.stores,
    clock,
    logger: silentLogger
  })
  manifests = new ManifestFetches({
    stores,
    offers,
    clock,
    // What it has comes at once, and the rest never, or is absent.
    exchange: {
      async *fetch(wants, options) {
        for await (const digest of wants) {
          const key = digestKey(digest)
          const bytes = had.get(key)
          asked.set(key, options)
          const [from] = options.sources()
          if (bytes !== undefined && from !== undefined) yield { digest, bytes, from }
          else if (isSilent) {
            await aborted(options.signal)
            options.signal.throwIfAborted()
          }
        }
      }
    },
    peers: (keys) => keys.map((key) => peerIdFromString(peerIdText(key))),
    onManifest: () => came++
  })
})
afterEach(async () => {
  await manifests.stop()
  temp[Symbol.dispose]()
})

const all = (): boolean => true
const { signal } = new AbortController()
const longMs = 600_000

/** A store of this owner. */
function versionOf(owner: number, name: string): Version {
  const key = keyOf(owner)
  const root = encodeLink({ codec: 'raw', digest: new Uint8Array(32) })
  const content = { root, sizeBytes: 1, files: 1, issuedMs: 1, removed: false }
  return sealStoreManifest({ networkId, publicKey: key.publicKey, seq: 1, name, ...content }, key)
}

const names = (member: number, versions: readonly Version[]): void => {
  const named = versions.map((version) => ({ name: version.value.name, digest: digestOf(version) }))
  offers.note(keyOf(member).publicKey, named)
}

const has = (version: Version): void => void had.set(digestKey(digestOf(version)), version.bytes)
const eight = (owner: number): Version[] => Array.from({ length: 8 }, (_, i) => versionOf(owner, `store-${i}`))

test('of a member that gives none of what it names, two are asked for at a time, and those of others come', async () => {
  names(5, eight(5))
  manifests.seek(all)
  await eventually(() => asked.size === 2)
  const other = versionOf(6, 'music')
  has(other)
  names(6, [other])
  manifests.seek(all)
  await eventually(() => came === 1)
  expect(stores.manifests.get(digestOf(other))?.value.name).toBe('music')
  expect(asked.size).toBe(3)
})

test('however many members give nothing, 64 are asked for at a time', async () => {
  for (let member = 5; member < 50; member++) names(member, eight(member))
  manifests.seek(all)
  await eventually(() => asked.size === 64)
  expect(await Promise.race([manifests.idle().then(() => 'idle'), Promise.resolve('asking')])).toBe('asking')
})

test('one that nobody has is asked for again after a minute, or when somebody asks for it', async () => {
  isSilent = false
  const version = versionOf(5, 'music')
  names(5, [version])
  const isAsked = async (): Promise<boolean> => {
    asked.clear()
    manifests.seek(all)
    await manifests.idle()
    return asked.size === 1
  }
  expect([await isAsked(), await isAsked()]).toEqual([true, false])
  clock.advance(60_000)
  expect([await isAsked(), await isAsked()]).toEqual([true, false])
  manifests.again()
  expect(await isAsked()).toBe(true)
})

test('one that many name who lack it is asked of 16 of them, others in each try', async () => {
  isSilent = false
  const version = versionOf(5, 'music')
  for (let member = 5; member < 55; member++) names(member, [version])
  const askedOf = new Set<string>()
  for (let round = 0; round < 8; round++) {
    manifests.again()
    manifests.seek(all)
    await manifests.idle()
    const peers = asked.get(digestKey(digestOf(version)))?.sources() ?? []
    expect(peers).toHaveLength(16)
    for (const peer of peers) askedOf.add(peer.toString())
  }
  // All 8 the same 16 of 50: never.
  expect(askedOf.size).toBeGreaterThan(16)
})

test('what is named no more, and what is no store of a wanted name, is not asked for', async () => {
  names(5, eight(5))
  manifests.seek((name) => name === 'store-7')
  await eventually(() => asked.size === 1)
  manifests.seek(all)
  await eventually(() => asked.size === 2)
  names(5, [])
  manifests.seek(all)
  await manifests.stop()
  expect(asked.size).toBe(2)
})

test('whoever waits for what comes does not wait for those who are silent', async () => {
  const [here, absent] = [versionOf(1, 'here'), versionOf(2, 'absent')]
  had.set(digestKey(digestOf(here)), here.bytes)
  names(1, [here])
  names(2, [absent])
  manifests.seek(all)
  await manifests.quiet(50, signal)
  expect(stores.manifests.get(digestOf(here))).toBeDefined()
  // It is still being asked for.
  expect(asked.get(digestKey(digestOf(absent)))?.signal.aborted).toBe(false)
  await manifests.quiet(longMs, AbortSignal.timeout(50))
  isSilent = false
})
