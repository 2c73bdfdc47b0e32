import { readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path'
import { isName } from '../../identity/checked-bytes.ts'
import { aborted, within } from '../../runtime/abort.ts'
import { InvalidPayloadError, NotFoundError, RefusedError, UnavailableError } from '../../runtime/errors.ts'
import type { StoreRemovedView, StoresView, StoreView } from '../api/stores/store-views.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeParts } from '../node-parts.ts'
import { refOf } from '../views/refs.ts'
import { storeKey } from './store-entry.ts'
import type { StoreKeeper } from './store-keeper.ts'
import { namedBy, storeText } from './store-names.ts'
import { shownStores, storeNamed, storesView, viewOf } from './stores-view.ts'

/** Time for which members are asked about their stores. */
const lookMs = 5_000
/** They are asked again for a store that is not known yet when nothing new came for so long. */
const againMs = 1_000

type Configured = Pick<NodeParts, 'config' | 'configFile'>

function keeperOf({ storeKeeper }: NetworkNode): StoreKeeper {
  if (storeKeeper === undefined) throw new UnavailableError('this process starts: its stores are not open yet', lookMs)
  return storeKeeper
}

/** The stores that are known here; with `look` after a moment in which members are asked. */
export async function listStores(network: NetworkNode, isLook: boolean, signal: AbortSignal): Promise<StoresView> {
  if (isLook) await keeperOf(network).look(within(lookMs, signal))
  return storesView(network)
}

/** Shares a folder as a store; it is read from now on. @throws InvalidPayloadError, RefusedError */
export async function addStore(
  node: Configured,
  network: NetworkNode,
  given: { folder: string; name?: string | undefined; watch?: boolean | undefined }
): Promise<StoreView> {
  const keeper = keeperOf(network)
  const folder = sharedFolder(node, given.folder)
  const name = given.name ?? basename(folder).toLowerCase()
  if (!isName(name))
    throw new InvalidPayloadError(
      `'${name}' is no name of a store: give one of a to z, 0 to 9 and inner hyphens with --name`
    )
  const entry = await network.stores.share(name, folder, given.watch ?? false)
  keeper.folders.ask(entry)
  return viewOf(network, entry)
}

/** @throws InvalidPayloadError for what is no folder, RefusedError for one that holds what belongs to nobody else */
function sharedFolder(node: Configured, given: string): string {
  if (!isAbsolute(given)) throw new InvalidPayloadError(`${given} is no absolute path`)
  const folder = realPath(given)
  if (folder === undefined || !statSync(folder).isDirectory())
    throw new InvalidPayloadError(`${given} is no folder on the machine of this process, or it may not see it`)
  requireApart(node, folder)
  return folder
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** Keys, tokens and the database are never shared, nor written over. @throws RefusedError */
function requireApart({ config, configFile }: Configured, folder: string): void {
  const { paths, backup, http, bootstrap } = config
  const folders = [paths.data, paths.runtime, backup.path].flatMap(pathsOf)
  const files = [paths.key, configFile, http.tokenFile, bootstrap.inviteFile].flatMap(pathsOf)
  const held = folders.find((own) => meets(own, folder)) ?? files.find((own) => isWithin(own, folder))
  if (held !== undefined)
    throw new RefusedError(
      `${folder} is, or holds, what belongs to this node alone, as its keys or its database (${held})`
    )
}

const pathsOf = (path: string | undefined): string[] => (path === undefined ? [] : [realPath(path) ?? resolve(path)])

const isWithin = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way))
}

/**
 * Has a store here and kept up to date, with `to` its files in a folder, too; an own one is read again. Without a store all that is followed
 * is tried again. One that is not known is waited for, for as long as members are asked. @throws as storeNamed; RefusedError, InvalidPayloadError
 */
export async function syncStore(
  node: Configured,
  network: NetworkNode,
  { store, to }: { store?: string | undefined; to?: string | undefined },
  signal: AbortSignal,
  known: AbortSignal = within(lookMs, signal)
): Promise<StoresView> {
  const keeper = keeperOf(network)
  if (store === undefined) {
    if (to !== undefined) throw new InvalidPayloadError('files of all stores go into no one folder: name a store')
    for (const entry of network.stores.list()) if (entry.folder !== undefined && entry.isOwn) keeper.folders.ask(entry)
    keeper.fetches.again()
    keeper.wake()
    return storesView(network)
  }
  const { owner, name } = await found(network, store, known)
  await syncOne(node, network, { owner, name, to })
  keeper.wake()
  return { ...storesView(network), stores: [viewOf(network, { owner, name }).store] }
}

/** Members are asked until it is known here: the record of one that somebody has just added is on the way. @throws as storeNamed */
async function found(network: NetworkNode, text: string, until: AbortSignal) {
  const keeper = keeperOf(network)
  for (;;) {
    const news = keeper.nextNews()
    await keeper.look(within(lookMs, until))
    try {
      return storeNamed(network.registry, shownStores(network), text)
    } catch (error) {
      if (!(error instanceof NotFoundError) || until.aborted) throw error
    }
    await Promise.race([news, aborted(within(againMs, until))])
  }
}

async function syncOne(
  node: Configured,
  network: NetworkNode,
  { owner, name, to }: { owner: Uint8Array; name: string; to: string | undefined }
): Promise<void> {
  const { stores } = network
  const keeper = keeperOf(network)
  const held = stores.get(owner, name)
  if (held?.isOwn === true) {
    if (to !== undefined) throw new RefusedError(`${name} is a folder of this node: ${held.folder ?? 'its own'}`)
    keeper.folders.ask(held)
    return
  }
  const version = stores.manifests.newest().get(storeKey(owner, name)) ?? held?.versions[0]
  if (version === undefined) throw new UnavailableError(`nothing of ${name} is known here yet`, lookMs)
  const folder = to === undefined ? undefined : targetFolder(node, network, { owner, name, to })
  keeper.fetches.again()
  const entry = await stores.follow(version, true)
  if (folder !== undefined && folder !== entry.folder) {
    entry.folder = folder
    entry.written = []
  }
  if (entry.folder === undefined) return
  // Files that somebody has removed or changed there are written again.
  entry.writtenSeq = 0
  await stores.save(entry)
}

/** @throws InvalidPayloadError, RefusedError where another store is written, or read */
function targetFolder(
  node: Configured,
  { stores, registry }: NetworkNode,
  { owner, name, to }: { owner: Uint8Array; name: string; to: string }
): string {
  if (!isAbsolute(to)) throw new InvalidPayloadError(`${to} is no absolute path`)
  const folder = realTarget(resolve(to))
  requireApart(node, folder)
  if (stores.get(owner, name)?.folder !== folder && !isEmpty(folder))
    throw new RefusedError(
      `${folder} is not empty, and files of the same names would be written over: name a new or an empty folder`
    )
  const other = stores
    .list()
    .find((entry) => entry.folder !== undefined && entry !== stores.get(owner, name) && meets(entry.folder, folder))
  if (other !== undefined)
    throw new RefusedError(`${folder} is in the way of ${storeText(registry, other)} (${other.folder ?? ''})`)
  return folder
}

/** Path of a folder that may have to be made, without the links on the way to it. */
const realTarget = (path: string): string => realPath(path) ?? resolve(realTarget(dirname(path)), basename(path))

/** True also for what is not there or cannot be read: that is told when it is written. */
function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch {
    return true
  }
}

const meets = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a)

/** Shares a store no more, or keeps another's no more. Files stay where they are. @throws as storeNamed */
export async function removeStore(
  network: NetworkNode,
  { store: text, plan = false }: { store: string; plan?: boolean | undefined }
): Promise<StoreRemovedView> {
  const { stores, registry } = network
  const keeper = keeperOf(network)
  const { owner, name } = storeNamed(registry, shownStores(network), text)
  const entry = stores.get(owner, name)
  if (entry === undefined) throw new RefusedError(`${text} is not kept here: nothing is to be removed`)
  const { folder, isOwn } = entry
  const isNamed = namedBy(stores.config.fetch, registry, entry) !== undefined
  if (!plan) {
    await keeper.fetches.without(entry, async () => {
      if (isOwn) await stores.unshare(entry)
      else if (isNamed) await stores.setAside(entry)
      else await stores.drop(entry)
    })
    keeper.wake()
  }
  const stays = folder === undefined ? '' : `; the files in ${folder} stay`
  const back = isNamed && !entry.isOwn ? '; stores.fetch names it, so `trustnet store sync` brings it back' : ''
  const message = `${plan ? 'would be' : 'is'} ${entry.isOwn ? 'shared' : 'kept'} no more${stays}${back}`
  return { name, owner: refOf(registry, owner), message }
}

/** Keeps a store whatever happens to its owner and to the configuration, or no longer so. @throws as storeNamed, RefusedError */
export async function pinStore(
  network: NetworkNode,
  { store, pinned }: { store: string; pinned: boolean },
  signal: AbortSignal
): Promise<StoreView> {
  const { stores } = network
  const { owner, name } = await found(network, store, within(lookMs, signal))
  const held = stores.get(owner, name)
  if (held?.isOwn === true) throw new RefusedError(`${name} is a store of this node: it stays until it is removed`)
  const version = stores.manifests.newest().get(storeKey(owner, name)) ?? held?.versions[0]
  if (version === undefined) throw new UnavailableError(`nothing of ${name} is known here yet`, lookMs)
  const entry = held ?? (await stores.follow(version, true))
  entry.pinned = pinned
  await stores.save(entry)
  keeperOf(network).wake()
  return viewOf(network, entry)
}
