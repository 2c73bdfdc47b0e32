import { existsSync } from 'node:fs'
import type { ControlApi } from '../../node/api/control-api.ts'
import { NothingRunningError } from '../../node/api/errors.ts'
import type { Config } from '../../node/config/schema.ts'
import type { Context } from '../output/context.ts'
import { loadedConfig } from './config-source.ts'
import { handedOver } from './copy-from-service.ts'
import { type RunningOptions, running } from './find-running.ts'

export interface OwnCopy {
  /** The process that runs here made the copy; false: the store of one that does not run, or nothing. */
  isRunning: boolean
  /** Store of this machine, where no process runs. */
  store: string | undefined
}

/** Copies the store of this machine, whether its process runs or not. Where there is none, no copy is made. @throws as backup */
export const copyOwnStore = async (
  { signal }: Context,
  client: () => Promise<ControlApi>,
  config: Config,
  copy: string
): Promise<OwnCopy> => {
  try {
    const answering = await client()
    await handedOver(answering, copy, (path) => answering.backup({ to: path }, { signal }))
    return { isRunning: true, store: undefined }
  } catch (error) {
    if (!(error instanceof NothingRunningError)) throw error
  }
  const { backUpStopped, storeOf } = await import('../../node/offline/stopped-store.ts')
  const store = storeOf(config)
  if (!existsSync(store)) return { isRunning: false, store: undefined }
  await backUpStopped(config, copy)
  return { isRunning: false, store }
}

/** The store itself where nothing runs, else a copy of it. */
export const ownStore = async (context: Context, options: RunningOptions, copy: string): Promise<string> => {
  try {
    const client = await running(context, options)
    return (await handedOver(client, copy, (path) => client.backup({ to: path }, { signal: context.signal }))).path
  } catch (error) {
    if (!(error instanceof NothingRunningError)) throw error
    const { storeOf } = await import('../../node/offline/stopped-store.ts')
    const { config } = await loadedConfig(context, {
      ...(options.config !== undefined && { config: options.config }),
      ...(options.node !== undefined && { name: options.node })
    })
    return storeOf(config)
  }
}
