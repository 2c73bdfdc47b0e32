import { existsSync, readFileSync, rmSync } from 'node:fs'
import { networkIdText } from '../../../identity/network-id.ts'
import { loadConfig, saveConfigValue } from '../../../node/config/index.ts'
import { dataFiles } from '../../../node/config/paths.ts'
import { createNetworkHere } from '../../../node/offline/create-network.ts'
import { peekGenesis } from '../../../node/offline/read-store.ts'
import { openGenesis } from '../../../registry/objects/genesis.ts'
import { idsOf } from '../../machine/files-on-disk.ts'
import type { NetworkAction } from '../../model/action.ts'
import { chownAll } from './files.ts'
import type { Kind } from './kind.ts'

export const networkKind: Kind<NetworkAction> = {
  describe: ({ data }) => ({
    text: `a new network: genesis, keys and recovery kit in ${data}`,
    lines: ['log.key', 'next-recovery.kit', 'node.key', 'recovery.kit', 'registry.db']
  }),
  before: async ({ data }) => ({ there: madeIn(data) !== undefined }),
  apply: async ({ configFile, data }, { passphrase }, { there }) => {
    // The kit is made last: without it a network that was just begun is not whole, and nobody has seen it yet.
    const whole = there === true || isJson(dataFiles(data).recoveryKit)
    if (!whole) removeHalf(data)
    const id = (whole ? madeIn(data) : undefined) ?? (await make(configFile, passphrase))
    saveConfigValue(configFile, 'networkId', id)
    // Saved by root, used by the service.
    for (const path of [data, configFile]) await chownAll(path, await idsOf('trustnet'))
  },
  // It goes with the data folder, or stays with it.
  revert: async () => {}
}

/** Id of the network whose log is there. */
const madeIn = (data: string): string | undefined => {
  const { store } = dataFiles(data)
  const genesis = existsSync(store) ? peekGenesis(store) : undefined
  return genesis === undefined ? undefined : networkIdText(openGenesis(genesis).hash)
}

const make = async (configFile: string, passphrase: string): Promise<string> => {
  const { config } = loadConfig({ file: configFile, env: {} })
  return (await createNetworkHere(config, { passphrase })).networkId
}

const removeHalf = (data: string): void => {
  const { store, logKey, recoveryKit, nextRecoveryKit } = dataFiles(data)
  for (const path of [store, `${store}-wal`, `${store}-shm`, logKey, recoveryKit, nextRecoveryKit])
    rmSync(path, { force: true })
}

const isJson = (file: string): boolean => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) !== null
  } catch {
    return false
  }
}
