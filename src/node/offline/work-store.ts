import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { backUpStopped } from './stopped-store.ts'

/** Store that a change of the log is made in. */
export interface WorkStore extends AsyncDisposable {
  readonly path: string
}

export interface WorkStoreInit {
  config: Config
  /** false: the change is a plan, in a copy that goes with its end. */
  apply: boolean
  /** A copy for the plan, where the process runs and has made it. */
  copy?: string | undefined
  /** Restored in the store's place, which then needs no copy. */
  backup?: string | undefined
}

/** The store of a node whose process is stopped, or a copy. There may be none yet at the path. @throws StoreInUseError, StoreError */
export async function workStore({ config, apply, copy, backup }: WorkStoreInit): Promise<WorkStore> {
  const { store } = dataFiles(config.paths.data)
  if (apply) return { path: store, [Symbol.asyncDispose]: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-plan-'))
  const drop = async (): Promise<void> => await rm(folder, { recursive: true, force: true })
  const path = copy ?? join(folder, 'registry.db')
  try {
    if (copy === undefined && backup === undefined && existsSync(store)) await backUpStopped(config, path)
  } catch (error) {
    await drop()
    throw error
  }
  return { path, [Symbol.asyncDispose]: drop }
}
