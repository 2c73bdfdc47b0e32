import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { codeOf } from '../../runtime/error-code.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { ConfigError } from '../errors.ts'
import { nameFromHost } from './defaults.ts'
import { maxConfigBytes } from './migrate.ts'
import { type Env, type Parsed, type ParseInit, parseConfig } from './parse.ts'
import { homes } from './paths.ts'

export interface LoadOptions extends Pick<ParseInit, 'flags' | 'homes' | 'hostname'> {
  /** `--config`. */
  readonly file?: string | undefined
  /** `--name`: tells several nodes of one machine apart, and picks NAME.yaml. */
  readonly name?: string | undefined
  readonly env?: Env
  /** The file that is named need not be there yet: the command makes it. */
  readonly mayBeNew?: boolean
}

export interface Loaded extends Parsed {
  /** The file that was read; undefined: there was none. */
  readonly file: string | undefined
  /** File in which values that the program itself changes are saved. */
  readonly saveTo: string
  /** The same, read anew. @throws ConfigError */
  readonly again: () => Loaded
}

/** Reads the configuration of this process. Throws ConfigError. */
export const loadConfig = (options: LoadOptions = {}): Loaded => {
  const env = options.env ?? process.env
  const folders = options.homes ?? homes(env)
  const chosen = findConfigFile({ ...options, env, homes: folders })
  const file = options.mayBeNew === true && chosen !== undefined && isFree(chosen) ? undefined : chosen
  const flags = options.name === undefined ? options.flags : { ...options.flags, name: options.name }
  const parsed = parseConfig({
    env,
    flags,
    homes: folders,
    hostname: options.hostname,
    ...(file === undefined ? {} : { file, text: read(file) })
  })
  const isNamed = (options.file ?? (env['TRUSTNET_CONFIG'] || undefined)) !== undefined
  const ignored = isNamed ? siblingsOf(chosen) : ignoredFiles(folders.config)
  return {
    ...parsed,
    warnings: [...parsed.warnings, ...ignored.map(ignoredWarning)],
    file,
    saveTo: chosen ?? join(folders.config, `${parsed.config.name}.yaml`),
    again: () => loadConfig(options)
  }
}

/** False for a link whose target is not there: the disk that holds it may come back. */
const isFree = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/** --config, TRUSTNET_CONFIG, NAME.yaml, or the only file in the folder. undefined: there is none, which is fine. */
export const findConfigFile = (options: LoadOptions): string | undefined => {
  const env = options.env ?? process.env
  const chosen = options.file ?? (env['TRUSTNET_CONFIG'] || undefined)
  if (chosen !== undefined) return resolve(chosen)
  const folder = (options.homes ?? homes(env)).config
  const found = yamlFiles(folder)
  const name = options.name ?? (env['TRUSTNET_NAME'] || undefined)
  if (name !== undefined) return found.find((file) => file === `${name}.yaml`) && join(folder, `${name}.yaml`)
  if (found.length <= 1) return found[0] && join(folder, found[0])
  const own = `${nameFromHost(options.hostname)}.yaml`
  if (found.includes(own)) return join(folder, own)
  throw new ConfigError([
    `${folder} has ${found.length} configurations (${found.join(', ')}): choose one with --name NAME or --config FILE`
  ])
}

const yamlFiles = (folder: string): string[] => filesEnding(folder, '.yaml')

/** Files that were meant as a configuration by their names. */
const ignoredFiles = (folder: string): string[] => filesEnding(folder, '.yml').map((name) => join(folder, name))

/** The file NAME.yml beside a NAME.yaml that was named: other files of that folder may be of other programs. */
const siblingsOf = (file: string | undefined): string[] => {
  if (file === undefined || !file.endsWith('.yaml')) return []
  const sibling = file.replace(/\.yaml$/, '.yml')
  return existsSync(sibling) ? [sibling] : []
}

const ignoredWarning = (file: string): string =>
  `${file} is not read: a configuration ends in .yaml; rename it, or remove it when it is an old one`

const filesEnding = (folder: string, end: string): string[] => {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(end) && !name.startsWith('.'))
      .toSorted()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw new ConfigError([`${folder}: cannot be listed: ${text(error)}`])
  }
}

const read = (file: string): string => {
  try {
    return readText(file, maxConfigBytes)
  } catch (error) {
    const hint = codeOf(error) === 'ENOENT' ? '; `trustnet config show --example` prints one to start from' : ''
    throw new ConfigError([`${file}: cannot be read: ${text(error)}${hint}`])
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
