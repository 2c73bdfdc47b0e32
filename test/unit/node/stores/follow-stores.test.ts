import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeLink } from '../../../../src/content/link.ts'
import { defaults } from '../../../../src/node/config/defaults.ts'
import { followStores } from '../../../../src/node/stores/follow-stores.ts'
import { Offers } from '../../../../src/node/stores/offers.ts'
import { SharedFolders } from '../../../../src/node/stores/shared-folders.ts'
import { digestOf, keyOfVersion, type Version } from '../../../../src/node/stores/store-entry.ts'
import { StoreFetches } from '../../../../src/node/stores/store-fetches.ts'
import { Stores } from '../../../../src/node/stores/stores.ts'
import { sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { memoryFolder } from '../../../helpers/temp.ts'

test('where no more stores can be followed, those that are go on, and the others say why', async () => {
  await using network = await RealNetwork.create()
  using temp = memoryFolder()
  const owner = await network.admit('hal')
  const { networkId } = network.root
  const stores = new Stores({
    folder: join(temp.path, 'stores'),
    networkId,
    key: network.rootKey,
    config: { ...defaults.stores, fetch: 'all' },
    clock: systemClock,
    logger: silentLogger,
    mostFollowed: 2
  })
  const offers = new Offers()
  const fetches = new StoreFetches({
    stores,
    exchange: { async *fetch() {} },
    sources: () => [],
    nameOf: ({ name }) => name,
    logger: silentLogger,
    onChange: () => {},
    onRefused: () => {}
  })
  const keeper = { fetches, folders: new SharedFolders({ stores, logger: silentLogger, onRead: () => {} }) }
  const init = { stores, offers, registry: network.root, self: network.rootKey.publicKey, keeper, logger: silentLogger }
  const root = encodeLink({ codec: 'raw', digest: new Uint8Array(32) })
  const offered = async (seqs: Readonly<Record<string, number>>): Promise<Version[]> => {
    const versions = Object.entries(seqs).map(([name, seq]) =>
      sealStoreManifest(
        { networkId, publicKey: owner.publicKey, seq, name, root, sizeBytes: 1, files: 1, issuedMs: 1, removed: false },
        owner
      )
    )
    offers.note(
      owner.publicKey,
      versions.map((version) => ({ name: version.value.name, digest: digestOf(version) }))
    )
    for (const version of versions) stores.manifests.take(digestOf(version), version.bytes)
    await followStores(init)
    return versions
  }
  const followed = (): unknown[] => stores.list().map(({ name, coming }) => [name, coming?.value.seq])

  const [, , third] = await offered({ a: 1, b: 1, c: 1 })
  expect(followed()).toEqual([
    ['a', 1],
    ['b', 1]
  ])
  expect(third && stores.troubles.get(keyOfVersion(third))).toMatch('no more stores can be followed here')
  await offered({ c: 2, d: 1, b: 2 })
  expect(followed()).toEqual([
    ['a', 1],
    ['b', 2]
  ])
})
