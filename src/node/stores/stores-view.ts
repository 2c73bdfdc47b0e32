import { equals } from 'uint8arrays/equals'
import { decodeLink, linkText } from '../../content/link.ts'
import { isName } from '../../identity/checked-bytes.ts'
import type { Registry } from '../../registry/registry.ts'
import { AmbiguousNameError, InvalidPayloadError, NotFoundError } from '../../runtime/errors.ts'
import type { StoreRow, StoresView, StoreView } from '../api/stores/store-views.ts'
import type { NetworkNode } from '../network-node.ts'
import { requireKeyEver } from '../views/peer-names.ts'
import { refOf } from '../views/refs.ts'
import { digestOf, isNewer, isUnwritten, newestOf, type StoreEntry, storeKey, type Version } from './store-entry.ts'
import { type StoreRef, storeText } from './store-names.ts'

/** A store as it is shown, also one that is not here. */
type Shown = Omit<StoreEntry, 'asked' | 'isDropped' | 'written'>

const unfollowed: Omit<Shown, 'owner' | 'name'> = {
  isOwn: false,
  versions: [],
  coming: undefined,
  folder: undefined,
  writtenSeq: 0,
  watch: false,
  pinned: false
}

/** Stores of this node and those that members offer, as far as they are known. */
export function storesView(network: NetworkNode): StoresView {
  const { stores, storeKeeper } = network
  const newest = stores.manifests.newest()
  const { versions, members } = storeKeeper?.unknown ?? { versions: 0, members: [] }
  return {
    quotaBytes: stores.config.quotaBytes,
    usedBytes: stores.usedBytes,
    unknown: versions,
    silent: members.map((key) => refOf(network.registry, key)),
    stores: shownStores(network, newest).map((store) => rowOf(network, store, newest))
  }
}

/**
 * The store that a person means by `music`, or by `alice/music` with name or PeerId of its owner.
 * @throws InvalidPayloadError, NotFoundError, AmbiguousNameError
 */
export function storeNamed(registry: Registry, refs: readonly StoreRef[], text: string): StoreRef {
  const parts = text.split('/')
  const name = parts.at(-1) ?? ''
  if (parts.length > 2 || !isName(name))
    throw new InvalidPayloadError(`'${text}' names no store: write music, or alice/music with its owner`)
  const [owner] = parts.length === 2 ? [requireKeyEver(registry, parts[0] ?? '')] : []
  const fitting = refs.filter((ref) => ref.name === name && (owner === undefined || equals(ref.owner, owner)))
  const [first, second] = fitting
  if (first === undefined)
    throw new NotFoundError(`no store ${text} is known here: \`trustnet store list\` shows those that members share`)
  if (second === undefined) return first
  const all = fitting.map((ref) => storeText(registry, ref)).join(', ')
  throw new AmbiguousNameError(`several members have a store ${name}: name one of ${all}`)
}

/** @throws as storeNamed */
export const storeView = (network: NetworkNode, text: string): StoreView =>
  viewOf(network, storeNamed(network.registry, shownStores(network), text))

/** @throws Error for one that is not known */
export function viewOf(network: NetworkNode, { owner, name }: StoreRef): StoreView {
  const newest = network.stores.manifests.newest()
  const shown = shownStores(network, newest).find((store) => store.name === name && equals(store.owner, owner))
  if (shown === undefined) throw new Error(`there is no store ${name}`)
  return { store: rowOf(network, shown, newest) }
}

/** Stores that are here and those that members offer, by owner and name, without what was removed. */
export function shownStores(
  { stores, registry }: NetworkNode,
  newest: ReadonlyMap<string, Version> = stores.manifests.newest()
): Shown[] {
  const here = stores.list().filter(({ isOwn, folder, isDropped }) => !isDropped && (!isOwn || folder !== undefined))
  const all = new Map<string, Shown>(here.map((entry) => [storeKey(entry.owner, entry.name), entry]))
  for (const [key, { value }] of newest) {
    const { publicKey: owner, name, removed } = value
    const isOffered = !removed && !isOwnRemoved(stores.get(owner, name)) && registry.replica.isMember(owner)
    if (isOffered && !all.has(key)) all.set(key, { ...unfollowed, owner, name })
  }
  return [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, store]) => store)
}

const isOwnRemoved = (entry: StoreEntry | undefined): boolean => entry?.isOwn === true && entry.folder === undefined

function rowOf(network: NetworkNode, store: Shown, newest: ReadonlyMap<string, Version>): StoreRow {
  const { stores, storeKeeper, registry } = network
  const { owner, name, versions, folder, watch, pinned } = store
  const key = storeKey(owner, name)
  const version = shownVersion(store, newest)
  const arrived = storeKeeper?.fetches.bytesOf(store)
  return {
    name,
    owner: refOf(registry, owner),
    state: stateOf(network, store, version),
    ...manifestOf(version),
    heldSeq: versions[0]?.value.seq ?? null,
    holders: version === undefined ? 0 : (storeKeeper?.holders(digestOf(version)) ?? 0),
    arrivedBytes: arrived ?? null,
    folder: folder ?? null,
    watch,
    pinned,
    trouble: stores.troubles.get(key) ?? null
  }
}

/** The newest that is known, also where it is not fetched. */
function shownVersion(store: Shown, newest: ReadonlyMap<string, Version>): Version | undefined {
  const held = newestOf(store)
  const offered = newest.get(storeKey(store.owner, store.name))
  return offered !== undefined && !offered.value.removed && isNewer(offered, held) ? offered : held
}

const manifestOf = (version: Version | undefined) => ({
  cid: version === undefined ? null : linkText(decodeLink(version.value.root)),
  seq: version?.value.seq ?? null,
  sizeBytes: version?.value.sizeBytes ?? null,
  files: version?.value.files ?? null,
  issuedMs: version?.value.issuedMs ?? null
})

function stateOf({ stores, storeKeeper }: NetworkNode, store: Shown, version: Version | undefined): StoreRow['state'] {
  const { owner, name, isOwn, versions, coming } = store
  const isReading = storeKeeper?.folders.isReading(store) === true
  if (isOwn) return isReading || versions.length === 0 ? 'reading' : 'shared'
  const isActive = storeKeeper?.fetches.bytesOf(store) !== undefined
  if (isActive && coming !== undefined) return 'fetching'
  if (stores.get(owner, name)?.isDropped !== false) return 'offered'
  if (version !== undefined && storeKeeper?.fetches.isRefused(version) === true) return 'refused'
  if (version === undefined || version !== versions[0]) return 'waiting'
  return isUnwritten(store) ? 'writing' : 'complete'
}
