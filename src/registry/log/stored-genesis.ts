import { LogMismatchError } from '../../runtime/errors.ts'
import { entryKinds } from '../objects/entry.ts'
import type { Signed } from '../objects/envelope.ts'
import { type Genesis, openGenesis } from '../objects/genesis.ts'
import type { Database } from '../store/database.ts'
import { damagedLog } from './load.ts'

/** The genesis that is given, or the one in the store. @throws StoreError; LogMismatchError when there is none at all */
export function genesisOf(init: { db: Database; genesis?: Uint8Array }): Signed<Genesis> {
  const genesis = init.genesis ?? storedGenesis(init)
  if (genesis === undefined)
    throw new LogMismatchError('there is no network in this store, and no genesis to begin one with')
  return opened(genesis, init.genesis === undefined)
}

/** Opens a genesis that was stored. @throws StoreError when it is damaged */
export const openStoredGenesis = (envelope: Uint8Array): Signed<Genesis> => opened(envelope, true)

function opened(envelope: Uint8Array, isStored: boolean): Signed<Genesis> {
  try {
    return openGenesis(envelope)
  } catch (error) {
    throw isStored ? damagedLog(error) : error
  }
}

/** The genesis in a store; undefined: no network is in it. @throws StoreError when there is a log without its beginning */
export const storedGenesis = ({ db }: { db: Database }): Uint8Array | undefined => {
  const genesis = db
    .prepare<[number, number], { envelope: Uint8Array }>('SELECT envelope FROM log WHERE n = ? AND kind = ?')
    .get(0, entryKinds.genesis)?.envelope
  if (genesis === undefined && db.prepare('SELECT n FROM log LIMIT 1').get() !== undefined) {
    throw damagedLog('entry 0 is not there')
  }
  return genesis
}
