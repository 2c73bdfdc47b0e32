import {
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isMap, parseDocument } from 'yaml'
import { codeOf } from '../../runtime/error-code.ts'
import { openRegular, readOpen, readText } from '../../runtime/files/read-file.ts'
import { timedPath } from '../../runtime/files/timed-path.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { ConfigError } from '../errors.ts'
import { keyByYaml } from './keys.ts'
import { maxConfigBytes, migrateConfig } from './migrate.ts'

/**
 * Writes keys into a YAML file and leaves everything else, comments too, as it is. The file is replaced in one step,
 * so a crash leaves the old or the new one. A value is as it is written in YAML ('30s', 9001); undefined removes the key.
 */
export const saveConfigValues = (file: string, values: Readonly<Record<string, unknown>>): void =>
  replaceFile(file, withConfigValues(readIfThere(file) ?? '', file, values))

/** The same for one key. */
export const saveConfigValue = (file: string, path: string, value: unknown): void =>
  saveConfigValues(file, { [path]: value })

const withConfigValues = (text: string, file: string, values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values).reduce((so, [path, value]) => withConfigValue(so, file, path, value), text)

/** The text with that key. @throws ConfigError */
const withConfigValue = (text: string, file: string, path: string, value: unknown): string => {
  if (!keyByYaml.has(path)) throw new ConfigError([`${path}: there is no such key`])
  const document = parseDocument(text)
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new ConfigError([`${file}: is no YAML with keys, so ${path} was not saved`])
  }
  const parts = path.split('.')
  const above = parts.slice(0, -1).map((_, depth) => parts.slice(0, depth + 1))
  // `listen:` with nothing under it is null; a key cannot be set inside null.
  const blank = above.find((one) => document.hasIn(one) && !isMap(document.getIn(one)))
  if (blank !== undefined) document.deleteIn(blank)
  if (value === undefined) {
    if (document.hasIn(parts)) document.deleteIn(parts)
  } else document.setIn(parts, value)
  return document.toString({ lineWidth: 0 })
}

/**
 * Opens a configuration for later: a process that has given up its rights meanwhile can still write values into it. In place, since it
 * must not make files beside it any more. undefined: there is none, or it is not ours to write.
 */
export const configWriter = (file: string): ((values: Readonly<Record<string, unknown>>) => void) | undefined => {
  if (!existsSync(file)) return undefined
  const open = openRegular(file, constants.O_RDWR | constants.O_NOFOLLOW)
  return (values) => {
    const text = readOpen(open, file, maxConfigBytes).toString('utf8')
    writeInPlace(open, Buffer.from(withConfigValues(text, file, values)))
    closeSync(open)
  }
}

/** A disk that is full refuses the first step, which adds empty lines at the end and takes them back: the old text stays whole. */
const writeInPlace = (file: number, bytes: Buffer): void => {
  const { size } = fstatSync(file)
  try {
    writeAt(file, Buffer.alloc(Math.max(0, bytes.length - size), '\n'), size)
    fsyncSync(file)
  } catch (error) {
    ftruncateSync(file, size)
    throw error
  }
  writeAt(file, bytes, 0)
  ftruncateSync(file, bytes.length)
  fsyncSync(file)
}

const writeAt = (file: number, bytes: Buffer, position: number): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done)
}

/** The same for a key that has no value in the file; one that it has stays. */
export const saveMissing = (file: string, path: string, value: unknown): void => {
  const held: unknown = parseDocument(readIfThere(file) ?? '').getIn(path.split('.'))
  if (held === undefined || held === null) saveConfigValue(file, path, value)
}

export interface MigratedFile {
  readonly changes: readonly string[]
  /** The file as it was; null: nothing had to be changed. */
  readonly copy: string | null
}

/** Beside the file, and no configuration of the folder. */
export const configCopyName = (file: string): string => timedPath(Date.now(), (stamp) => `${file}.before-${stamp}`)

/** Brings a file to the version that this program writes. The copy of the old one is beside it, with its owner and mode. */
export const migrateConfigFile = (file: string): MigratedFile => {
  const { changes } = migrateConfig(readText(file, maxConfigBytes), file)
  if (changes.length === 0) return { changes, copy: null }
  const { uid, gid } = statSync(file)
  const copy = configCopyName(file)
  copyFileSync(file, copy)
  chownSync(copy, uid, gid)
  rewriteConfigFile(file)
  return { changes, copy }
}

/** The same without a copy: the caller has one. */
export const rewriteConfigFile = (file: string): void => {
  replaceFile(file, migrateConfig(readText(file, maxConfigBytes), file).text)
}

const readIfThere = (file: string): string | undefined => {
  try {
    return readText(file, maxConfigBytes)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Target of a link of this user's own: the link stays, and what is behind it is replaced. Links of others are not followed. */
const behindLink = (path: string): string => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isSymbolicLink() === true && found.uid === process.geteuid?.() ? realpathSync(path) : path
}

/** Tries whether values can be saved into a file, before what they tell of is made. @throws as the file system */
export const requireSavable = (named: string): void => {
  const { open, temporary } = besides(behindLink(named), 0o640)
  closeSync(open)
  rmSync(temporary)
}

/** A new file in the same folder, which is made, too. Its name tells what it is the next content of. A refusal names the file that is to be written. */
const besides = (file: string, mode: number): { open: number; temporary: string } => {
  makeFolder(dirname(file), 0o750)
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.${performance.now()}.tmp`)
  try {
    return { open: openSync(temporary, 'wx', mode), temporary }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw Object.assign(error, { path: file, message: error.message.replace(temporary, file) })
  }
}

/** Puts a text in the place of a file in one step, so a crash leaves the old or the new one; with owner and mode of the file that was there. */
export const replaceFile = (named: string, text: string): void => {
  const file = behindLink(named)
  const before = statSync(file, { throwIfNoEntry: false })
  const { open, temporary } = besides(file, (before?.mode ?? 0o640) & 0o777)
  try {
    if (before !== undefined) fchmodSync(open, before.mode & 0o777)
    if (before !== undefined && process.geteuid?.() === 0) fchownSync(open, before.uid, before.gid)
    writeFileSync(open, text, { flush: true })
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(open)
  }
  renameSync(temporary, file)
}
