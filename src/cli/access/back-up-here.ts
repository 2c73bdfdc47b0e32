import { execFile } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { removeAt } from '../../install/machine/safe-files.ts'
import type { BackupView } from '../../node/api/control-api.ts'
import type { Loaded } from '../../node/config/index.ts'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import type { Context } from '../output/context.ts'
import { takeFile } from './copy-file.ts'
import { becomeOwner, folderOwner, ownerOf } from './run-as-owner.ts'

/** Time for a backup of a store of 100 GiB on a slow disk. */
const longestMs = 3_600_000

/** Backs up the store of a node that does not run. @throws as backUpStopped */
export const backUpHere = async (loaded: Loaded, to: string, { signal }: Context): Promise<BackupView> => {
  const owner = ownerOf(loaded)
  if (owner !== undefined && folderOwner(dirname(to))?.uid !== owner.uid)
    return await takeBackup(loaded, to, owner.uid, signal)
  becomeOwner(owner)
  const { backUpStopped } = await import('../../node/offline/stopped-store.ts')
  return await backUpStopped(loaded.config, to)
}

/** Makes a backup where only root may write: the same command makes it in the node's own folder, as its user, and root takes it from there. */
const takeBackup = async (
  { config, file }: Loaded,
  to: string,
  uid: number,
  signal: AbortSignal
): Promise<BackupView> => {
  const there = join(config.paths.data, `.for-${process.pid}-${basename(to)}`)
  const which = file === undefined ? ['--node', config.name] : ['--config', file]
  const argv = [process.argv[1] ?? '', 'registry', 'backup', '--json', '--to', there, ...which]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, argv, {
      env: cleanEnvironment(),
      timeout: longestMs,
      signal
    })
    const view: BackupView = JSON.parse(stdout)
    for (const end of ['', '.json']) takeFile(there + end, to + end, uid)
    return { ...view, path: to, manifest: `${to}.json` }
  } finally {
    for (const end of ['', '.json']) removeAt(there + end)
  }
}
