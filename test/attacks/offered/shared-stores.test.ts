import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { equals } from 'uint8arrays/equals'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { encodeLink } from '../../../src/content/link.ts'
import { digestKey } from '../../../src/content/walk.ts'
import { sha256 } from '../../../src/identity/hash.ts'
import { peerIdText, type SigningKey } from '../../../src/identity/keys.ts'
import { defaults } from '../../../src/node/config/defaults.ts'
import { type FollowInit, followStores } from '../../../src/node/stores/follow-stores.ts'
import { isNamedSo, Offers } from '../../../src/node/stores/offers.ts'
import { SharedFolders } from '../../../src/node/stores/shared-folders.ts'
import { digestOf, newestOf, type Version } from '../../../src/node/stores/store-entry.ts'
import { StoreFetches } from '../../../src/node/stores/store-fetches.ts'
import { Stores } from '../../../src/node/stores/stores.ts'
import { maxRecordStores } from '../../../src/registry/objects/record-additions.ts'
import { type StoreManifest, sealStoreManifest } from '../../../src/registry/objects/store-manifest.ts'
import { silentLogger, systemClock } from '../../../src/runtime/clock-and-logger.ts'
import { MemoryBlocks } from '../../helpers/content/blocks.ts'
import { eventually } from '../../helpers/network.ts'
import { RealNetwork } from '../../helpers/real-network.ts'
import { memoryFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'

const owners = ['eve', 'hal', 'ann'] as const
type Owner = (typeof owners)[number]

let temp: ReturnType<typeof memoryFolder>
let network: RealNetwork
let keys: Record<Owner, SigningKey>
let stores: Stores
let fetches: StoreFetches
let init: FollowInit
let blocks: MemoryBlocks
let root: Uint8Array
/** Blocks that were asked for. */
let asked: number

beforeEach(async () => {
  temp = memoryFolder()
  network = await RealNetwork.create()
  const [eve, hal, ann] = [await network.admit('eve'), await network.admit('hal'), await network.admit('ann')]
  keys = { eve, hal, ann }
  blocks = new MemoryBlocks()
  asked = 0
  const folder = join(temp.path, 'shared')
  mkdirSync(folder)
  writeFileSync(join(folder, 'song'), randomBytes(700_000))
  root = encodeLink((await blocks.import(folder)).root)
  ready()
})
afterEach(async () => {
  await fetches.stop()
  await network[Symbol.asyncDispose]()
  temp[Symbol.dispose]()
})

/** A follower that takes all stores that members name. */
function ready(): void {
  const { networkId } = network.root
  const config = { ...defaults.stores, fetch: 'all' as const }
  const folder = join(temp.path, 'stores')
  stores = new Stores({ folder, networkId, key: network.rootKey, config, clock: systemClock, logger: silentLogger })
  const from = peerIdFromString(peerIdText(keys.hal.publicKey))
  fetches = new StoreFetches({
    stores,
    exchange: {
      async *fetch(wants) {
        for await (const digest of wants) {
          asked++
          const bytes = blocks.all.get(digestKey(digest))
          if (bytes !== undefined) yield { digest, bytes, from }
        }
      }
    },
    sources: () => [from],
    nameOf: ({ name }) => name,
    logger: silentLogger,
    onChange: () => {},
    onRefused: () => {}
  })
  const folders = new SharedFolders({ stores, logger: silentLogger, onRead: () => {} })
  init = {
    stores,
    offers: new Offers(),
    registry: network.root,
    self: network.rootKey.publicKey,
    keeper: { folders, fetches },
    logger: silentLogger
  }
}

const versionOf = (owner: Owner, name: string, change: Partial<StoreManifest> = {}): Version => {
  const { networkId } = network.root
  const { publicKey } = keys[owner]
  const content = { root, sizeBytes: 700_000, files: 1, issuedMs: 1, removed: false }
  return sealStoreManifest({ networkId, publicKey, seq: 1, name, ...content, ...change }, keys[owner])
}

const numbered = (of: string): string[] => Array.from({ length: maxRecordStores }, (_, i) => `${of}-${i}`)

/** A member's record names these versions, and their manifests have come. Gives the rounds until nothing changes. */
async function names(member: Owner, versions: readonly Version[]): Promise<number> {
  const named = versions.map((version) => ({ name: version.value.name, digest: digestOf(version) }))
  init.offers.note(keys[member].publicKey, named)
  for (const version of versions) stores.manifests.take(digestOf(version), version.bytes)
  let rounds = 0
  while (rounds < 10 && (await followStores(init))) rounds++
  return rounds
}

const followed = (owner: Owner): string[] =>
  stores
    .list()
    .filter((entry) => equals(entry.owner, keys[owner].publicKey))
    .map(({ name }) => name)

describe('a member that names stores, at a node that takes all', () => {
  const turns = 40

  attack('other ones in each record, to have all places that a node has', async () => {
    for (let turn = 0; turn < turns; turn++) {
      const versions = numbered(`turn-${turn}`).map((name) => versionOf('eve', name))
      await names('eve', versions)
    }
    await names('hal', [versionOf('hal', 'music')])
    expect(followed('eve')).toEqual(numbered(`turn-${turns - 1}`))
    expect(followed('hal')).toEqual(['music'])
    return {
      happened: `${turns * maxRecordStores} stores in ${turns} records: ${followed('eve').length} are followed, and that of another`,
      held: `${maxRecordStores} of each owner by themselves; what it names no more makes room`
    }
  })

  attack('others of which a second member names, so that they push each other out without end', async () => {
    await names(
      'eve',
      numbered('one').map((name) => versionOf('eve', name))
    )
    const rounds = await names(
      'ann',
      numbered('two').map((name) => versionOf('eve', name))
    )
    expect([rounds, followed('eve')]).toEqual([0, numbered('one')])
    expect(stores.troubles.size).toBe(maxRecordStores)
    await names('ann', [])
    expect(stores.troubles.size).toBe(0)
    return {
      happened: `16 stores of one owner: ${maxRecordStores} are followed, nothing is dropped; the others say why`,
      held: 'only what its owner names takes the place of what it names no more'
    }
  })

  control('is followed in all that it names, and so are others', async () => {
    for (const owner of owners)
      await names(
        owner,
        numbered(owner).map((name) => versionOf(owner, name))
      )
    for (const owner of owners) expect(followed(owner)).toEqual(numbered(owner))
  })

  attack('to a node whose list is full: what others share anew is not reached', async () => {
    await names('hal', [versionOf('hal', 'music')])
    for (let i = 0; !stores.isFull; i++) await stores.follow(versionOf('ann', `kept-${i}`), true)
    await names('eve', [versionOf('eve', 'one-more')])
    await names('hal', [versionOf('hal', 'music', { seq: 2 })])
    const music = stores.get(keys.hal.publicKey, 'music')
    expect([followed('eve'), music === undefined ? undefined : newestOf(music)?.value.seq]).toEqual([[], 2])
    expect([...stores.troubles.values()]).toEqual([expect.stringContaining('no more stores')])
    return {
      happened: '1,024 stores are followed: one more is not, and says so; another one has its next version',
      held: 'a full list ends no round'
    }
  })
})

describe("a member that names another one's version before its owner does", () => {
  /** Versions whose manifests a node asks for that follows the name; `eve` was the first to name the version. */
  const wantedBy = (name: string, nameOfEve: string): Uint8Array[] => {
    const digest = digestOf(versionOf('hal', 'music'))
    init.offers.note(keys.eve.publicKey, [{ name: nameOfEve, digest }])
    init.offers.note(keys.hal.publicKey, [{ name: 'music', digest }])
    return [...init.offers.all()]
      .filter((offer) => isNamedSo(offer, (each) => each === name))
      .map((each) => each.digest)
  }

  attack('under another name, so that nobody who follows its own name asks for it', async () => {
    expect(wantedBy('music', 'zzz')).toHaveLength(1)
    init.offers.note(keys.hal.publicKey, [])
    expect(wantedBy('music', 'other')).toHaveLength(1)
    return {
      happened: 'it is asked for by the name that its owner gives it',
      held: 'a version has the names of all who name it'
    }
  })

  attack('for the stores of that owner to make room, as if he named them no more', async () => {
    const versions = numbered('hal').map((name) => versionOf('hal', name))
    const named = versions.map((version, i) => ({ name: `z-${i}`, digest: digestOf(version) }))
    init.offers.note(keys.eve.publicKey, named)
    await names('hal', versions)
    await names('ann', [versionOf('hal', 'one-more')])
    expect(followed('hal')).toEqual(numbered('hal'))
    return {
      happened: `${versions.length} stores are followed as before`,
      held: 'a version has the names of all who name it'
    }
  })

  control('a name that nobody gives it is followed by nobody', async () => {
    expect(wantedBy('maps', 'zzz')).toEqual([])
  })
})

describe("a member that shares another one's content as its own", () => {
  const bothHere = async () => {
    await names('hal', [versionOf('hal', 'music')])
    fetches.fill()
    await eventually(() => stores.get(keys.hal.publicKey, 'music')?.versions.length === 1)
    const askedBefore = asked
    await names('eve', [versionOf('eve', 'copy')])
    fetches.fill()
    await eventually(() => stores.get(keys.eve.publicKey, 'copy')?.versions.length === 1)
    return { askedBefore }
  }
  const isWhole = async (): Promise<boolean> => {
    const read = await Promise.all([...blocks.all.values()].map((bytes) => stores.read(sha256(bytes))))
    return read.every((bytes) => bytes !== undefined)
  }
  const { signal } = new AbortController()

  attack('and removes it, so that the blocks of the other one go with it', async () => {
    const { askedBefore } = await bothHere()
    expect(askedBefore).toBe(blocks.all.size)
    expect(asked).toBe(askedBefore)
    await names('eve', [versionOf('eve', 'copy', { seq: 2, removed: true })])
    expect(followed('eve')).toEqual([])
    expect(await stores.collect(signal)).toBe(0)
    expect(await isWhole()).toBe(true)
    return {
      happened: `${askedBefore} blocks of two stores: asked for once, and all are there after one of both was removed`,
      held: 'a block stays as long as a store that is kept leads to it'
    }
  })

  control('loses it with the last store that leads to it', async () => {
    await bothHere()
    await names('eve', [versionOf('eve', 'copy', { seq: 2, removed: true })])
    await names('hal', [versionOf('hal', 'music', { seq: 2, removed: true })])
    expect(await stores.collect(signal)).toBeGreaterThan(700_000)
    expect(await isWhole()).toBe(false)
  })
})
