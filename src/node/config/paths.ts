import { createHash } from 'node:crypto'
import { userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'

/** Folders of this user or of the machine: configuration, what must survive, and what a restart may lose. */
export interface Homes {
  readonly config: string
  readonly data: string
  readonly runtime: string
}

type Env = Readonly<Record<string, string | undefined>>

/** Root's own: each installed node has a folder in it. */
export const machineRuntime = '/run/trustnet'
const machine: Homes = { config: '/etc/trustnet', data: '/var/lib/trustnet', runtime: machineRuntime }

/** A user name has 32 characters, `trustnet-` among them. */
const maxInstanceChars = 23

/** Name of an installed node where names are short: in its user and its runtime folder. No name of a node has an underscore. */
export const instanceOf = (name: string): string =>
  name.length <= maxInstanceChars ? name : `_${createHash('sha256').update(name).digest('hex').slice(0, 16)}`

/** sun_path has 108 bytes on Linux with the closing zero; the kernel cuts silently, so a longer path is refused. */
export const maxSocketPathBytes = 107

const under = (folder: string): Homes => ({ config: folder, data: join(folder, 'data'), runtime: join(folder, 'run') })

/** TRUSTNET_HOME moves all three under one folder; root uses the machine's folders; anybody else `~/.trustnet`. */
export const homes = (env: Env = process.env, uid: number | undefined = process.getuid?.()): Homes => {
  const home = env['TRUSTNET_HOME']
  if (home !== undefined && home !== '') return under(absolute(home))
  return uid === 0 ? machine : under(join(userHome(env['HOME'] || undefined), '.trustnet'))
}

/** A folder that depends on where a command is called would hold other keys the next time; nothing but a shell reads `~`. */
const absolute = (home: string): string => {
  if (isAbsolute(home)) return resolve(home)
  throw new ConfigError([`TRUSTNET_HOME is '${home}', no absolute path: write it from / on`])
}

/** Home folder of this user, from the environment or from the system. @throws ConfigError where neither knows one */
const userHome = (given: string | undefined): string => {
  const home = given ?? systemHome()
  if (home !== undefined && isAbsolute(home)) return home
  const why =
    home === undefined
      ? 'HOME is not set and the system knows no home of this user'
      : `HOME is '${home}', no absolute path`
  throw new ConfigError([`there is no folder for keys and database: ${why}; set TRUSTNET_HOME to one`])
}

const systemHome = (): string | undefined => {
  try {
    return userInfo().homedir || undefined
  } catch {
    return undefined
  }
}

/** Folders in which a running node's socket may be, own folder first: an operator also reaches the machine's service. */
export const runtimeFolders = (env: Env = process.env, uid: number | undefined = process.getuid?.()): string[] => {
  const own = homes(env, uid).runtime
  return env['TRUSTNET_HOME'] || own === machine.runtime ? [own] : [own, machine.runtime]
}

/** Control socket of the node with that name. */
export const socketPath = (runtimeFolder: string, name: string): string => {
  const path = join(runtimeFolder, `${name}.sock`)
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new ConfigError([
      `the socket path ${path} is longer than the ${maxSocketPathBytes} bytes a unix socket can have: ` +
        'set paths.runtime (or TRUSTNET_HOME) to a shorter folder'
    ])
  }
  return path
}

/** Files inside one node's data folder. */
export const dataFiles = (
  dataFolder: string
): {
  store: string
  logKey: string
  operatorKey: string
  recoveryKit: string
  nextRecoveryKit: string
  passphrase: string
  /** Services that commands have added, and a maintenance that was begun. */
  services: string
  /** Folder of the blocks of stores, and of what is known of them. */
  stores: string
  /** Highest place of the log that this node has signed as a witness. */
  witness: string
  /** Note that a network is being made in the folder, or was when its process was killed. */
  unfinished: string
} => ({
  store: join(dataFolder, 'registry.db'),
  logKey: join(dataFolder, 'log.key'),
  operatorKey: join(dataFolder, 'operator.key'),
  recoveryKit: join(dataFolder, 'recovery.kit'),
  nextRecoveryKit: join(dataFolder, 'next-recovery.kit'),
  passphrase: join(dataFolder, 'recovery.passphrase'),
  services: join(dataFolder, 'services.json'),
  stores: join(dataFolder, 'stores'),
  witness: join(dataFolder, 'witness.json'),
  unfinished: join(dataFolder, 'init.unfinished')
})

/** Files of a data folder that are there only when it has, or had, a network of its own; a broken-off change of a key is one, too. */
export const filesOfNetwork = (dataFolder: string): string[] => {
  const { logKey, operatorKey, recoveryKit, nextRecoveryKit, passphrase } = dataFiles(dataFolder)
  return [logKey, `${logKey}.next`, recoveryKit, nextRecoveryKit, operatorKey, passphrase]
}

/** Keys that name files: relative ones count from the file that holds them, or from the working folder. */
export const fileKeys: ReadonlySet<string> = new Set([
  'paths.data',
  'paths.key',
  'paths.runtime',
  'bootstrap.inviteFile',
  'hooks.onEvent',
  'http.tokenFile',
  'backup.path'
])
