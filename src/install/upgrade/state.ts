import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalState } from '../apply/journal.ts'
import { OperatorError } from '../errors.ts'
import { idsOf, kindOf, removeFile, replaceFile } from '../machine/files-on-disk.ts'
import { journalFolder } from '../model/layout.ts'

/** The machine as it was before an upgrade, on the disk until the upgrade is over: an interrupted one goes on, a failed one goes back. */
export interface UpgradeState {
  readonly schemaVersion: 1
  readonly from: string
  readonly to: string
  /** Nodes that were healthy: they have to be again. */
  readonly healthy: readonly string[]
  readonly journals: readonly JournalState[]
}

/** No name of a journal, which all end in .json. */
const file = join(journalFolder, 'upgrade')

export const openUpgrade = async (): Promise<UpgradeState | undefined> => {
  if ((await kindOf(file)) === undefined) return undefined
  const state: UpgradeState = JSON.parse(await readFile(file, 'utf8'))
  if (state.schemaVersion === 1) return state
  throw new OperatorError(`${file} is not of this version of the installer: use the version that wrote it.`)
}

export const saveUpgrade = async (state: UpgradeState): Promise<void> =>
  await replaceFile(file, `${JSON.stringify(state, undefined, 1)}\n`, 0o600, await idsOf('root'))

export const closeUpgrade = async (): Promise<void> => await removeFile(file)
