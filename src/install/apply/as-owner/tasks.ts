import { existsSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadKey } from '../../../identity/key-file.ts'
import { peerIdText } from '../../../identity/keys.ts'
import { networkIdText } from '../../../identity/network-id.ts'
import { ControlClient } from '../../../node/api/client.ts'
import { loadConfig } from '../../../node/config/index.ts'
import { dataFiles } from '../../../node/config/paths.ts'
import { createNetworkHere } from '../../../node/offline/create-network.ts'
import { peekGenesis } from '../../../node/offline/read-store.ts'
import { openGenesis } from '../../../registry/objects/genesis.ts'

/** Id of the network whose log is in a data folder. */
const networkOf = ({ data }: { data: string }): string | null => {
  const { store } = dataFiles(data)
  const genesis = existsSync(store) ? peekGenesis(store) : undefined
  return genesis === undefined ? null : networkIdText(openGenesis(genesis).hash)
}

interface MakeNetwork {
  readonly configFile: string
  readonly data: string
  readonly passphrase: string
  /** The network was there before the install. */
  readonly there: boolean
}

const makeNetwork = async ({ configFile, data, passphrase, there }: MakeNetwork): Promise<string> => {
  // The kit is made last: without it a network that was just begun is not whole, and nobody has seen it yet.
  const whole = there || isJson(dataFiles(data).recoveryKit)
  if (!whole) removeHalf(data)
  const found = whole ? networkOf({ data }) : null
  if (found !== null) return found
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

/** null: the key was not made yet, or is gone. */
const peerId = ({ key }: { key: string }): string | null => {
  try {
    return peerIdText(loadKey(key).publicKey)
  } catch {
    return null
  }
}

/** A process ends within 5 s of the signal. */
const stopMs = 8000
const lookMs = 50

/** Asks whoever answers at a socket to stop. As its own user: whatever number it names, no process of another hears of it. */
const stop = async ({ socket }: { socket: string }): Promise<number | null> => {
  const pid = await pidAt(socket)
  if (pid === undefined) return null
  if (!signalled(pid, 'SIGTERM')) return pid
  const deadline = performance.now() + stopMs
  // Not only its socket: a user with a process cannot be removed.
  while (signalled(pid, 0) && performance.now() < deadline) await sleep(lookMs)
  return signalled(pid, 0) ? pid : null
}

const signalled = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** The process behind a control socket; undefined: nobody answers. */
const pidAt = async (socket: string): Promise<number | undefined> => {
  try {
    const { pid } = (await new ControlClient({ path: socket, timeoutMs: 5000 }).status()).self
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined
  } catch {
    return undefined
  }
}

/** Ends every process of this user but this one. */
const endAll = (): null => {
  if (process.getuid?.() !== 0) signalled(-1, 'SIGKILL')
  return null
}

/** Input and answer of each task: JSON. */
export interface TaskTypes {
  networkOf: { input: { data: string }; answer: string | null }
  makeNetwork: { input: MakeNetwork; answer: string }
  peerId: { input: { key: string }; answer: string | null }
  stop: { input: { socket: string }; answer: number | null }
  endAll: { input: object; answer: null }
}

/** What is done in place of root by the user whom the files belong to. */
export const tasks: {
  readonly [K in keyof TaskTypes]: (input: TaskTypes[K]['input']) => Promise<TaskTypes[K]['answer']>
} = {
  networkOf: async (input) => networkOf(input),
  makeNetwork,
  peerId: async (input) => peerId(input),
  stop,
  endAll: async () => endAll()
}
