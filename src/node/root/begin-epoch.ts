import { loadOrCreateKey } from '../../identity/key-file.ts'
import { type NewEpoch, type NewEpochInit, openEpoch } from '../../registry/log/epochs/new-epoch.ts'
import type { LogKeys } from '../../registry/log/state/log-keys.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { keepNextLogKey, nextLogKey } from './log-key.ts'
import { forgetStore } from './store/log-place.ts'

/** Begins a planned epoch with a log key and an operator of this machine. @throws as openEpoch, KeyFileError */
export async function beginEpoch(
  { paths }: Config,
  planned: Omit<NewEpochInit, 'logKey'>,
  keys: LogKeys
): Promise<NewEpoch> {
  const { store, logKey: path, operatorKey: operatorPath } = dataFiles(paths.data)
  const node = { ...planned.node, operatorKey: loadOrCreateKey(operatorPath) }
  const done = await openEpoch({ ...planned, node, logKey: nextLogKey(path, keys) })
  await forgetStore(store)
  keepNextLogKey(path)
  return done
}
