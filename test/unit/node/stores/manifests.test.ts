import { expect, test } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { Manifests } from '../../../../src/node/stores/manifests.ts'
import { digestOf, keyOfVersion, type Version } from '../../../../src/node/stores/store-entry.ts'
import { sealStoreManifest } from '../../../../src/registry/objects/store-manifest.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'

const root = Uint8Array.of(1, 0x70, 0x12, 32, ...new Uint8Array(32).fill(5))
const versionOf = (owner: number, name: string, seq: number, network = networkId): Version => {
  const key = keyOf(owner)
  const rest = { root, sizeBytes: 1, files: 1, issuedMs: 1, removed: false }
  return sealStoreManifest({ networkId: network, publicKey: key.publicKey, seq, name, ...rest }, key)
}

test('the newest version of each store counts, whoever shows it and in whatever order', () => {
  const manifests = new Manifests(networkId)
  const versions = [
    versionOf(5, 'music', 2),
    versionOf(5, 'music', 1),
    versionOf(6, 'music', 7),
    versionOf(5, 'maps', 3)
  ]
  for (const version of versions) manifests.take(digestOf(version), version.bytes)
  const newest = [...manifests.newest().values()].map(({ value }) => [value.name, value.seq])
  expect(newest).toEqual([
    ['music', 2],
    ['music', 7],
    ['maps', 3]
  ])
  expect(manifests.newest().has(keyOfVersion(versionOf(6, 'music', 1)))).toBe(true)
})

test('what is no manifest of this network is not asked for again, and what is offered no more is forgotten', () => {
  const manifests = new Manifests(networkId)
  const foreign = versionOf(5, 'music', 1, new Uint8Array(32).fill(9))
  const bytes = Buffer.from('no manifest')
  expect(manifests.take(digestOf(foreign), foreign.bytes)).toBeUndefined()
  expect(manifests.take(sha256(bytes), bytes)).toBeUndefined()
  expect([manifests.isWrong(digestOf(foreign)), manifests.isWrong(sha256(bytes))]).toEqual([true, true])
  const own = versionOf(5, 'music', 1)
  manifests.take(digestOf(own), own.bytes)
  manifests.keepOnly([sha256(bytes)])
  expect(manifests.get(digestOf(own))).toBeUndefined()
  expect([manifests.isWrong(digestOf(foreign)), manifests.isWrong(sha256(bytes))]).toEqual([false, true])
})
