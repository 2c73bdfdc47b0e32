import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { controlClient } from '../../node/api/client.ts'
import type { ControlApi } from '../../node/api/control-api.ts'
import { holdSocket } from '../../node/api/control-path.ts'
import { ControlError, NothingRunningError } from '../../node/api/errors.ts'
import { instanceOf, machineRuntime, runtimeFolders, socketPath } from '../../node/config/paths.ts'
import { codeOf } from '../../runtime/error-code.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { sanitise, sanitiseWhole } from '../output/text.ts'
import { asOperator } from './as-operator.ts'
import { loadedConfig } from './config-source.ts'

export interface RunningOptions {
  node?: string
  config?: string
  json?: boolean
  /** Key file of the operator who asks. */
  as?: string
  /** Signs without a question. */
  yes?: boolean
}

const suffix = '.sock'

/** The options by which a command finds the process it speaks to. */
export const withRunning = (command: Command): Command =>
  command
    .option('-n, --node <name>', 'the node to ask, when several run on this machine')
    .option('--config <file>', 'ask the node of this configuration file')
    .option('--json', 'print JSON')

/** The option of commands that change the network: whose key signs. */
export const withAuthor = (command: Command): Command =>
  withYes(command.option('--as <keyfile>', 'sign with the key of an operator: needs no root on this machine'))

/** `policy edit` has one of its own. */
const withYes = (command: Command): Command =>
  command.options.some(({ long }) => long === '--yes')
    ? command
    : command.option('-y, --yes', 'with --as: sign what is shown without a question')

/**
 * A client of the process that the options mean: the named one, the one of the config file, or the only one that runs.
 * `timeoutMs` is the deadline of each call.
 * @throws NothingRunningError (exit 3); UsageError when several run and none is named.
 */
export const running = async (context: Context, options: RunningOptions, timeoutMs?: number): Promise<ControlApi> => {
  const path = await runningSocket(context, options)
  const api = controlClient(timeoutMs === undefined ? { path } : { path, timeoutMs })
  if (options.as === undefined) return api
  const passphrase = async (): Promise<string> => {
    const { readPassphrase } = await import('./passphrase.ts')
    return await readPassphrase(context, 'operatorPassphrase')
  }
  return asOperator(api, {
    keyFile: options.as,
    passphrase,
    network: () => pinnedNetwork(context, options, path),
    agrees: (acts) => agrees(context, acts, options)
  })
}

/** Network that the configuration of that process pins, in hex; undefined: none, or this user may not read it. */
const pinnedNetwork = async (
  { terminal: { env } }: Context,
  { config: file }: RunningOptions,
  socket: string
): Promise<string | undefined> => {
  const [{ loadConfig }, { parseNetworkId }] = await Promise.all([
    import('../../node/config/index.ts'),
    import('../../identity/network-id.ts')
  ])
  try {
    const name = basename(socket, suffix)
    const found = loadConfig({ file, name: file === undefined ? name : undefined, env })
    const isOfNode = file !== undefined || (found.file !== undefined && basename(found.file, '.yaml') === name)
    const { networkId } = found.config
    return isOfNode && networkId !== undefined ? Buffer.from(parseNetworkId(networkId)).toString('hex') : undefined
  } catch {
    return undefined
  }
}

/** The same, asked once whether it is there; undefined: none is. */
export const answering = async (context: Context, options: RunningOptions): Promise<ControlApi | undefined> => {
  try {
    const client = await running(context, options)
    await client.status({}, { signal: context.signal })
    return client
  } catch (error) {
    if (error instanceof NothingRunningError) return undefined
    throw error
  }
}

/** Shows what is to be signed, and asks on a terminal whether it is wanted. */
const agrees = async (
  { terminal, signal }: Context,
  acts: readonly string[],
  { yes }: RunningOptions
): Promise<boolean> => {
  const said = acts.filter((act) => act !== '')
  for (const act of said) terminal.progress(`Signs  ${sanitiseWhole(act)}`)
  const asks = terminal.stdin.isTTY === true && terminal.stderr.isTTY === true && yes !== true
  if (!asks || said.length === 0) return true
  const { default: confirm } = await import('@inquirer/confirm')
  const where = { input: process.stdin, output: process.stderr, signal }
  return await confirm({ message: 'Sign this?', default: false }, where)
}

/** Its control socket. @throws as running */
export const runningSocket = async (context: Context, options: RunningOptions): Promise<string> => {
  if (options.config !== undefined) {
    const { config } = await loadedConfig(context, { config: options.config })
    return socketPath(config.paths.runtime, options.node ?? config.name)
  }
  const folders = runtimeFolders(context.terminal.env)
  const found = await liveSockets(folders)
  const wanted = options.node ?? (context.terminal.env['TRUSTNET_NAME'] || undefined)
  const matching = wanted === undefined ? found : found.filter((path) => basename(path, suffix) === wanted)
  const [first, second] = matching
  if (first !== undefined && (second === undefined || wanted !== undefined)) return first
  const names = found.map((path) => sanitise(basename(path, suffix))).join(', ')
  if (second !== undefined) throw new UsageError(`Several nodes run here: ${names}. Name one with --node.`)
  if (wanted !== undefined && found.length > 0) {
    throw new NothingRunningError(`No node named ${sanitise(wanted)} runs here; running: ${names}.`)
  }
  const hidden = await hiddenOf(folders)
  const seen = hidden === undefined ? '' : `; ${hidden}`
  throw new NothingRunningError(
    `No TrustNet process runs here (looked in ${folders.join(' and ')}${seen}). To begin: trustnet dev (a network on this machine), trustnet init (one of your own), trustnet join LINE (one that is there)`
  )
}

/** A folder that this user may not look into says nothing about what runs. */
const hiddenOf = async (folders: readonly string[]): Promise<string | undefined> => {
  for (const folder of folders) {
    try {
      await readdir(folder)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EACCES')
        return `this user may not look into ${folder}: use sudo`
    }
  }
  return undefined
}

/** Names of the nodes that run on this machine. */
export const liveNodes = async (env: Context['terminal']['env']): Promise<string[]> =>
  (await liveSockets(runtimeFolders(env))).map((path) => basename(path, suffix))

/** Control sockets in these folders behind which a process answers. */
export const liveSockets = async (folders: readonly string[]): Promise<string[]> => {
  const paths: string[] = []
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (entry.name.endsWith(suffix)) paths.push(join(folder, entry.name))
      // Each installed node has a folder of its own, in which it can call itself by no other name.
      else if (folder === machineRuntime && entry.isDirectory()) paths.push(...(await ownSockets(folder, entry.name)))
    }
  }
  const alive = await Promise.all(paths.map(answers))
  return paths.filter((_, at) => alive[at]).toSorted()
}

const ownSockets = async (folder: string, instance: string): Promise<string[]> => {
  const names = await readdir(join(folder, instance)).catch(() => [])
  const own = names.filter((name) => name.endsWith(suffix) && instanceOf(basename(name, suffix)) === instance)
  return own.map((name) => join(folder, instance, name))
}

/** A socket file that a killed process left behind is not counted. One that may not be used is: the call says what to do. */
const answers = async (path: string): Promise<boolean> => {
  try {
    using held = holdSocket(path)
    const socket = connect(held.path)
    await once(socket, 'connect')
    socket.destroy()
    return true
  } catch (error) {
    return codeOf(error) === 'EACCES' || error instanceof ControlError
  }
}
