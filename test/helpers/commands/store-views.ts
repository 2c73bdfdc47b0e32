import type { StoreRemovedView, StoreRow, StoresView, StoreView } from '../../../src/node/api/control-api.ts'
import { root } from './control-views.ts'

export const storeRow = (changes: Partial<StoreRow> = {}): StoreRow => ({
  name: 'music',
  owner: root,
  state: 'complete',
  cid: 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354',
  seq: 3,
  sizeBytes: 4_200_000,
  files: 12,
  issuedMs: 1_700_000_000_000,
  heldSeq: 3,
  holders: 2,
  arrivedBytes: null,
  folder: null,
  watch: false,
  pinned: false,
  trouble: null,
  ...changes
})

export const storesView: StoresView = {
  quotaBytes: 10_737_418_240,
  usedBytes: 4_300_000,
  unknown: 0,
  silent: [],
  stores: [storeRow(), storeRow({ name: 'maps', state: 'offered', heldSeq: null })]
}

export const storeView: StoreView = { store: storeRow() }
export const storeRemovedView: StoreRemovedView = { name: 'music', owner: root, message: 'is kept no more' }
