import { equals } from 'uint8arrays/equals'
import { keyId } from '../../identity/key-id.ts'
import { maxRecordStores } from '../../registry/objects/record-additions.ts'
import type { StoreManifest } from '../../registry/objects/store-manifest.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { Offers } from './offers.ts'
import type { SharedFolders } from './shared-folders.ts'
import { isNewer, newestOf, type StoreEntry, storeKey, type Version } from './store-entry.ts'
import type { StoreFetches } from './store-fetches.ts'
import { namedBy, storeText, successorOf } from './store-names.ts'
import type { Stores } from './stores.ts'

export interface FollowInit {
  stores: Stores
  offers: Offers
  registry: Pick<Registry, 'replica'>
  self: Uint8Array
  keeper: { readonly folders: SharedFolders; readonly fetches: StoreFetches }
  logger: Logger
}

/** Brings what is followed here in line with what members offer, what the configuration wants, and who is a member. True: something changed. */
export async function followStores(init: FollowInit): Promise<boolean> {
  const { stores, offers } = init
  stores.manifests.keepOnly([...offers.all()].map(({ digest }) => digest))
  const newest = stores.manifests.newest()
  forgetTroubles(stores, newest)
  let isChanged = false
  for (const version of newest.values()) if (await takeVersion(init, version, newest)) isChanged = true
  for (const entry of stores.list()) if (!entry.isOwn && (await judgeEntry(init, entry))) isChanged = true
  return isChanged
}

/** Forgets what is wrong with stores that are neither offered nor here. */
function forgetTroubles(stores: Stores, newest: ReadonlyMap<string, Version>): void {
  const held = new Set(stores.list().map(({ owner, name }) => storeKey(owner, name)))
  for (const key of [...stores.troubles.keys()].filter((each) => !held.has(each) && !newest.has(each)))
    stores.troubles.delete(key)
}

/** Takes the newest version of a store that somebody offers. Gives true when something has changed. */
async function takeVersion(init: FollowInit, version: Version, newest: ReadonlyMap<string, Version>): Promise<boolean> {
  const { stores, registry, self, keeper } = init
  const { publicKey: owner, name, removed } = version.value
  if (equals(owner, self)) {
    const isBehind = stores.sawOwn(version)
    if (isBehind) keeper.folders.ask({ owner, name })
    return isBehind
  }
  const entry = stores.get(owner, name)
  if (!registry.replica.isMember(owner) || keeper.fetches.isRefused(version)) return false
  if (entry !== undefined && (entry.isDropped || !isNewer(version, newestOf(entry)))) return false
  if (removed) return entry !== undefined && (await dropRemoved(init, entry))
  if (entry === undefined && !(isFollowed(init, version, newest) && (await hasRoom(init, version.value)))) return false
  await stores.follow(version, false)
  return true
}

async function dropRemoved({ stores, registry, keeper, logger }: FollowInit, entry: StoreEntry): Promise<boolean> {
  if (entry.pinned) {
    stores.troubles.set(storeKey(entry.owner, entry.name), 'its owner shares it no more; it is pinned, so it stays')
    return false
  }
  await keeper.fetches.without(entry, () => stores.drop(entry))
  logger.info({ store: storeText(registry, entry) }, 'the owner of a store shares it no more: it was dropped here')
  return true
}

/** Tells whether the configuration wants a store that is not here. By its name alone it means the only one, or the one that it meant before. */
function isFollowed(
  { stores, registry }: FollowInit,
  { value: { publicKey: owner, name } }: Version,
  newest: ReadonlyMap<string, Version>
): boolean {
  const { fetch } = stores.config
  const named = namedBy(fetch, registry, { owner, name })
  if (named !== 'name') return named === 'owner'
  const isMember = (key: Uint8Array): boolean => registry.replica.isMember(key)
  if (stores.list().some((entry) => entry.name === name && !entry.isOwn && isMember(entry.owner))) return false
  const others = [...newest.values()].filter(
    ({ value }) => value.name === name && !value.removed && isMember(value.publicKey) && !equals(value.publicKey, owner)
  )
  const key = storeKey(owner, name)
  if (others.length === 0) stores.troubles.delete(key)
  else
    stores.troubles.set(
      key,
      `several members share a store ${name}: stores.fetch names the one that is meant, as OWNER/${name}`
    )
  return others.length === 0
}

/**
 * Tells whether one more store of its owner may come by itself: 8 of each, however often a record names others. One that its owner names
 * no more makes room for one that he names.
 */
async function hasRoom(init: FollowInit, store: StoreManifest): Promise<boolean> {
  const { stores, registry, keeper, logger } = init
  const { publicKey: owner, name } = store
  const isOfOwner = (entry: StoreEntry): boolean => equals(successorOf(registry, entry.owner) ?? entry.owner, owner)
  const others = stores
    .list()
    .filter((entry) => !entry.asked && !entry.pinned && !entry.isDropped && entry.name !== name && isOfOwner(entry))
  const isOver = new Set(others.map((entry) => entry.name)).size >= maxRecordStores
  const old = isNamed(init, owner, name) ? others.find((entry) => !isNamed(init, owner, entry.name)) : undefined
  if (stores.isFull || (isOver && old === undefined)) {
    const why = stores.isFull
      ? 'no more stores can be followed here'
      : 'as many stores of its owner are here as come by themselves'
    stores.troubles.set(
      storeKey(owner, name),
      `${why}: \`trustnet store sync\` fetches it, and \`store remove\` makes room`
    )
    return false
  }
  stores.troubles.delete(storeKey(owner, name))
  if (!isOver || old === undefined) return true
  await keeper.fetches.without(old, () => stores.drop(old))
  logger.info({ store: storeText(registry, old) }, 'a store makes room for another one, which its owner names now')
  return true
}

/** Tells whether a member names a store of this name in its record. */
const isNamed = ({ offers }: FollowInit, member: Uint8Array, name: string): boolean =>
  [...offers.all()].some(({ holders }) => holders.get(keyId(member))?.names.includes(name) === true)

/** Its owner has another key now: it is the same store. */
async function moveEntry(
  { stores, registry, keeper, logger }: FollowInit,
  entry: StoreEntry,
  owner: Uint8Array
): Promise<boolean> {
  const { fetches } = keeper
  const held = stores.get(owner, entry.name)
  const move = (): Promise<void> => stores.moveTo(owner, entry)
  await fetches.without(entry, held === undefined ? move : () => fetches.without(held, move))
  logger.info(
    { store: storeText(registry, { owner, name: entry.name }) },
    'the owner of a store has another key: it is followed there'
  )
  return true
}

/** Ends what is not wanted any more, or whose owner is gone for ever. Gives true when something has changed. */
async function judgeEntry(init: FollowInit, entry: StoreEntry): Promise<boolean> {
  const { stores, registry, keeper, logger } = init
  const { owner, asked, pinned } = entry
  const successor = successorOf(registry, owner)
  if (successor !== undefined) return await moveEntry(init, entry, successor)
  const { fetch, revoked } = stores.config
  const isRevoked = registry.replica.state.isRevoked(owner)
  const isUnwanted = !asked && !pinned && namedBy(fetch, registry, entry) === undefined
  // A configuration that names its owner finds him no more when he is none.
  const drops = isRevoked ? revoked === 'drop' && !pinned : isUnwanted && registry.replica.isMember(owner)
  if (!drops && !(isRevoked && entry.coming !== undefined)) return false
  await keeper.fetches.without(entry, () => (drops ? stores.drop(entry) : stores.keepAsItIs(entry)))
  const why = isRevoked ? 'its owner was revoked' : 'the configuration does not name it any more'
  logger.info({ store: storeText(registry, entry) }, `a store is ${drops ? 'dropped' : 'followed no more'}: ${why}`)
  return true
}
