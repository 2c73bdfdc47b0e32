import { existsSync, rmSync } from 'node:fs'
import { loadKey } from '../../../identity/key-file.ts'
import { peerIdText } from '../../../identity/keys.ts'
import { networkIdText } from '../../../identity/network-id.ts'
import { loadConfig } from '../../../node/config/index.ts'
import { dataFiles, filesOfNetwork } from '../../../node/config/paths.ts'
import { createNetworkHere } from '../../../node/offline/create-network.ts'
import { peekGenesis } from '../../../node/offline/read-store.ts'
import { refuseBeingMade } from '../../../node/offline/unfinished-network.ts'
import { openGenesis } from '../../../registry/objects/genesis.ts'
import { readText } from '../../../runtime/files/read-file.ts'

/** A recovery kit has some 400 bytes. */
const maxJsonBytes = 64 * 1024

/** Id of the network whose log is in a data folder. */
const networkOf = ({ data }: { data: string }): string | null => {
  const { store } = dataFiles(data)
  const genesis = existsSync(store) ? peekGenesis(store) : undefined
  return genesis === undefined ? null : networkIdText(openGenesis(genesis).hash)
}

/** True also for one whose store is gone: its keys cannot be made again. */
const hasNetwork = ({ data }: { data: string }): boolean =>
  networkOf({ data }) !== null || filesOfNetwork(data).some((path) => existsSync(path))

interface MakeNetwork {
  readonly configFile: string
  readonly data: string
  readonly passphrase: string
  /** The network was there before the install. */
  readonly there: boolean
}

const makeNetwork = async ({ configFile, data, passphrase, there }: MakeNetwork): Promise<string> => {
  // The kit is made last: without it a network that was just begun is not whole, and nobody has seen it yet.
  const { recoveryKit, unfinished } = dataFiles(data)
  const whole = there || (!existsSync(unfinished) && isJson(recoveryKit))
  if (!whole) {
    refuseBeingMade({ data })
    removeHalf(data)
  }
  const found = whole ? networkOf({ data }) : null
  if (found !== null) return found
  const { config } = loadConfig({ file: configFile, env: {} })
  return (await createNetworkHere(config, { passphrase })).networkId
}

const removeHalf = (data: string): void => {
  const { store } = dataFiles(data)
  const files = ['', '-wal', '-shm', '-journal'].map((end) => store + end)
  for (const path of [...files, ...filesOfNetwork(data)]) rmSync(path, { force: true })
}

const isJson = (file: string): boolean => {
  try {
    return JSON.parse(readText(file, maxJsonBytes)) !== null
  } catch {
    return false
  }
}

/** null: the key was not made yet, or is gone. */
const peerId = ({ key }: { key: string }): string | null => {
  try {
    return peerIdText(loadKey(key).publicKey)
  } catch {
    return null
  }
}

/** Input and answer of each task: JSON. */
export interface TaskTypes {
  hasNetwork: { input: { data: string }; answer: boolean }
  makeNetwork: { input: MakeNetwork; answer: string }
  peerId: { input: { key: string }; answer: string | null }
}

/** Tasks that the user whom the files belong to does in place of root. */
export const tasks: {
  readonly [K in keyof TaskTypes]: (input: TaskTypes[K]['input']) => Promise<TaskTypes[K]['answer']>
} = {
  hasNetwork: async (input) => hasNetwork(input),
  makeNetwork,
  peerId: async (input) => peerId(input)
}
