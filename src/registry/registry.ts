import { type Logger, silentLogger } from '../runtime/clock-and-logger.ts'
import { LogMismatchError, NotRootError, StoreGoneError } from '../runtime/errors.ts'
import { SteadyClock } from '../runtime/steady-clock.ts'
import { Supervisor } from '../runtime/supervisor.ts'
import { openReplica } from './log/replica.ts'
import { storedGenesis } from './log/stored-genesis.ts'
import { OpenRegistry } from './open-registry.ts'
import type { Registry, RegistryComponents, RegistryInit } from './registry-interface.ts'
import { openDatabase, peekDatabase } from './store/database.ts'
import { GroupCommit } from './store/group-commit.ts'
import { ownStoreId } from './store/node-values.ts'
import { asStoreError } from './store/store-errors.ts'

export type { Registry, RegistryComponents, RegistryInit, RootPowers } from './registry-interface.ts'

/**
 * Opens the store of a network, or begins one with `genesis`, and all that works on it.
 *
 * @throws StoreInUseError, StoreVersionError, StoreError as openDatabase; StoreError for the store of another network
 * @throws LogMismatchError when the store is new and no genesis is given
 * @throws NotRootError for the role root without the log key
 */
export async function openRegistry(init: RegistryInit, components: RegistryComponents = {}): Promise<Registry> {
  if (init.role === 'root' && init.root === undefined) {
    throw new NotRootError('the root needs the log key: put its file in place, or start as another role')
  }
  const isNew = init.genesis === undefined && peekGenesis(init.path) === undefined
  if (isNew) throw new LogMismatchError(`there is no network in ${init.path}: init makes one, join enters one`)
  const db = openDatabase(init.path)
  const { genesis } = init
  const { clock = new SteadyClock(), logger = silentLogger } = components
  const { services = new Supervisor(clock) } = components
  const health = services.part('store')
  let registry: OpenRegistry | undefined
  const onHealth = (failure: Error | undefined): void => {
    tellHealth(logger, failure)
    health.report(failure)
    if (failure instanceof StoreGoneError) registry?.alarms.raise('store_gone', failure.message)
  }
  const commit = new GroupCommit(db, onHealth, init.path)
  try {
    const replica = await openReplica({ db, commit, clock, logger, ...(genesis !== undefined && { genesis }) })
    const storeId = await ownStoreId(replica.ledger.meta, commit)
    registry = new OpenRegistry(init, { db, commit, clock, logger, replica, storeId, services })
    await registry.root?.start(services)
    return registry
  } catch (error) {
    commit.close()
    db.close()
    throw asStoreError(error, init.path)
  }
}

function tellHealth(logger: Logger, failure: Error | undefined): void {
  if (failure === undefined) logger.info({}, 'the store can be written again')
  else {
    const next = 'whatever must be stored is refused until it can be; reads and connections go on'
    logger.error({ error: failure.message }, `the store takes nothing: ${next}`)
  }
}

/** Envelope of the genesis in a store; undefined: there is no store, or no network in it. @throws as openDatabase */
export const peekGenesis = (path: string): Uint8Array | undefined => peekDatabase(path, (db) => storedGenesis({ db }))
