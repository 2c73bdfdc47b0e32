import { z } from 'zod'
import { answer, type Body, peerRef, text, textOrNull, timeOrNull, whole, wholeOrNull } from '../parts.ts'

// The JSON answers about stores: folders of content that members share.

/** `music`, or `alice/music` with name or PeerId of its owner. */
const store = text.min(1).max(256).describe('NAME, or OWNER/NAME')
const folder = text.min(1).max(4096).describe('absolute path on the machine of the process')

export const storesInput = {
  look: z.boolean().describe('ask members for what is not known yet of their stores, for a moment').optional()
}
export const storeInput = { store }
export const removeStoreInput = {
  store,
  plan: z.boolean().describe('say what would happen, and change nothing').optional()
}
export const addStoreInput = {
  folder,
  name: text.min(1).max(63).describe('default: the name of the folder').optional(),
  watch: z.boolean().describe('read it again when it changes').optional()
}
export const syncStoreInput = {
  store: store.optional(),
  to: folder.describe('write the files into this folder, now and with each version').optional()
}
export const pinStoreInput = { store, pinned: z.boolean() }

const row = z.object({
  name: text,
  owner: peerRef,
  state: z
    .enum(['reading', 'shared', 'offered', 'waiting', 'fetching', 'writing', 'complete', 'refused'])
    .describe(
      'reading, shared: a folder of this node; offered: by others alone; waiting: for those who have it; refused: see trouble'
    ),
  cid: textOrNull.describe('CID of the newest version that is known'),
  seq: wholeOrNull.describe('number of that version'),
  sizeBytes: wholeOrNull.describe('bytes of all files, as its owner says'),
  files: wholeOrNull,
  issuedMs: timeOrNull('signed by its owner'),
  heldSeq: wholeOrNull.describe('number of the newest version that is here in whole; null: none'),
  holders: whole.describe('other members that name this version in their records'),
  arrivedBytes: wholeOrNull.describe('bytes that came since the fetch began; null: none goes on'),
  folder: textOrNull.describe('folder that is shared, or into which the files are written'),
  watch: z.boolean(),
  pinned: z.boolean(),
  trouble: textOrNull.describe('why it is not as it should be')
})

export const storesView = answer('stores', 'trustnet store list|status|sync --all --json', {
  quotaBytes: whole.describe('what the blocks of all stores may have together'),
  usedBytes: whole,
  unknown: whole.describe('versions that members name and of which nothing is known here yet'),
  silent: z.array(peerRef).describe('members that name those versions, 16 at most'),
  stores: z.array(row).describe('by owner and name')
})

export const storeView = answer('store', 'trustnet store add|sync|pin|show --json', { store: row })

export const storeRemovedView = answer('store-removed', 'trustnet store remove --json', {
  name: text,
  owner: peerRef,
  message: text
})

export type StoresView = Body<typeof storesView>
export type StoreView = Body<typeof storeView>
export type StoreRemovedView = Body<typeof storeRemovedView>
export type StoreRow = z.infer<typeof row>
