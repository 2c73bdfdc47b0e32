import { either, onAbort } from '../../runtime/abort.ts'
import { RefusedError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { StoreRow } from '../api/stores/store-views.ts'
import type { NodeContext } from '../node-context.ts'
import { addStore, listStores, pinStore, removeStore, syncStore } from './store-actions.ts'
import { storesView } from './stores-view.ts'

/** Stores, for programs. A store is named `music`, or `alice/music` with name or PeerId of its owner. */
export interface NodeStores {
  /** Stores of this node, those that it follows, and what it knows of those that members offer. @throws UnavailableError before the network was found */
  list(): StoreRow[]
  /** The same, after members were asked for what is not known yet of their stores. */
  find(options?: { signal?: AbortSignal }): Promise<StoreRow[]>
  /** Shares a folder. Resolves when others can fetch it. @throws RefusedError with the reason why it cannot be shared */
  add(folder: string, options?: { name?: string; watch?: boolean; signal?: AbortSignal }): Promise<StoreRow>
  /** Fetches a store and keeps it up to date, with `to` also as files. Resolves when the version of now is here; one that nobody knows yet is waited for until the signal, or for 5 s. @throws NotFoundError; RefusedError where there is no room; the reason of the signal */
  sync(store: string, options?: { to?: string; signal?: AbortSignal }): Promise<StoreRow>
  /** Shares or keeps a store no more; files stay where they are. */
  remove(store: string): Promise<void>
  /** Keeps a store whatever happens to its owner, or no longer so. */
  pin(store: string, pinned?: boolean): Promise<StoreRow>
  /** Yields a store when it has another version or state, from now on; ends with the signal. */
  changes(options?: { signal?: AbortSignal }): AsyncGenerator<StoreRow>
}

type Owner = Pick<NodeContext, 'attached' | 'config' | 'configFile' | 'events' | 'signal'>

export const nodeStores = (node: Owner): NodeStores => {
  const until = (signal: AbortSignal | undefined): AbortSignal => either(signal, node.signal)
  return {
    list: () => storesView(node.attached).stores,
    find: async ({ signal } = {}) => (await listStores(node.attached, true, until(signal))).stores,
    async add(folder, { signal, ...options } = {}) {
      const { store } = await addStore(node, node.attached, { folder, ...options })
      return await settled(node, store, until(signal))
    },
    async sync(store, { to, signal } = {}) {
      const whole = until(signal)
      // Whoever sets no end waits for a store that nobody knows as long as the commands do.
      const known = signal === undefined ? undefined : whole
      const { stores } = await syncStore(node, node.attached, { store, to }, whole, known)
      const [row] = stores
      if (row === undefined) throw new RefusedError(`there is no store ${store}`)
      return await settled(node, row, whole)
    },
    async remove(store) {
      await removeStore(node.attached, { store })
    },
    pin: async (store, pinned = true) => (await pinStore(node.attached, { store, pinned }, node.signal)).store,
    changes: ({ signal } = {}) => changesOf(node, until(signal))
  }
}

/** Resolves when a store is as it was asked for. @throws RefusedError where a folder cannot be shared; the reason of the signal */
async function settled(node: Owner, asked: StoreRow, signal: AbortSignal): Promise<StoreRow> {
  let found = asked
  await node.events.until(() => {
    found = storesView(node.attached).stores.find((row) => keyOf(row) === keyOf(asked)) ?? found
    return isSettled(found) || isRefused(found)
  }, signal)
  if (isRefused(found)) throw new RefusedError(found.trouble ?? 'it cannot be shared')
  return found
}

const isSettled = ({ state, seq, heldSeq }: StoreRow): boolean =>
  state === 'shared' || (state === 'complete' && seq === heldSeq)

/** Nothing changes it but somebody. */
const isRefused = ({ state, trouble }: StoreRow): boolean =>
  trouble !== null && ['reading', 'shared', 'refused', 'writing'].includes(state)

const keyOf = ({ owner, name }: StoreRow): string => `${owner.peerId}.${name}`
const markOf = ({ state, seq, heldSeq, pinned, trouble, folder }: StoreRow): string =>
  JSON.stringify([state, seq, heldSeq, pinned, trouble, folder])

const marksOf = (rows: readonly StoreRow[]): Map<string, string> =>
  new Map(rows.map((row) => [keyOf(row), markOf(row)]))

/** A burst of changes is looked at once. */
const settleMs = 50

async function* changesOf(node: Owner, signal: AbortSignal): AsyncGenerator<StoreRow> {
  let wake = Promise.withResolvers<void>()
  const stop = node.events.listen('changed', () => wake.resolve())
  using _ = onAbort(signal, () => wake.resolve())
  try {
    for (let known = marksOf(storesView(node.attached).stores); !signal.aborted; ) {
      await wake.promise
      await sleep(settleMs, signal).catch(() => {})
      wake = Promise.withResolvers()
      if (signal.aborted) return
      const rows = storesView(node.attached).stores
      for (const row of rows) if (known.get(keyOf(row)) !== markOf(row)) yield row
      known = marksOf(rows)
    }
  } finally {
    stop()
  }
}
