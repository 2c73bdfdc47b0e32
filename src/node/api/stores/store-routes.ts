import { ask, type Route, tell } from '../route.ts'
import * as stores from './store-views.ts'

/** Operations on stores: rows of the table in routes.ts. */
export const storeRoutes = {
  stores: ask.network('Stores that are shared, followed and offered', stores.storesView, stores.storesInput, '/stores'),
  store: ask.network('A store', stores.storeView, stores.storeInput, '/stores/{store}'),
  addStore: tell.network('Shares a folder of this machine as a store', stores.storeView, stores.addStoreInput),
  syncStore: tell.network(
    'Fetches a store and keeps it up to date; an own one is read again; without one all are tried again',
    stores.storesView,
    stores.syncStoreInput
  ),
  removeStore: tell.network(
    'Shares a store no more, or keeps that of another no more',
    stores.storeRemovedView,
    stores.removeStoreInput
  ),
  pinStore: tell.network('Keeps a store whatever happens to its owner', stores.storeView, stores.pinStoreInput)
} as const satisfies Record<string, Route>
