import { accessSync, constants, fstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { become } from '../../install/apply/as-owner/drop.ts'
import { type Ids, inFolder, openFile, statAt } from '../../install/machine/open-safely.ts'
import { NothingRunningError } from '../../node/api/errors.ts'
import type { Loaded } from '../../node/config/index.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { loadedConfig } from './config-source.ts'
import { copyFrom } from './copy-file.ts'
import { type RunningOptions, runningSocket } from './find-running.ts'

/** A backup lies beside its manifest. */
const beside = ['', '.json']

/**
 * The user to whom what a configuration leads to belongs; undefined: to root, or this process is not root. A configuration of somebody
 * says where that one's files are, and nothing about those of others.
 */
export const ownerOf = ({ config, file }: Pick<Loaded, 'config' | 'file'>): Ids | undefined => {
  if (process.geteuid?.() !== 0) return undefined
  const found = [file === undefined ? undefined : statAt(file), folderOwner(config.paths.data)]
  return found.find((one) => one !== undefined && one.uid !== 0)
}

/** Owner of the folder, or of the nearest one above it that is there. */
export const folderOwner = (path: string): Ids | undefined =>
  inFolder(path, ({ fd }) => fstatSync(fd)) ?? (path === '/' ? undefined : folderOwner(dirname(path)))

/** Owner of a file that is named; undefined: root, or this process is not root. */
export const fileOwner = (path: string): Ids | undefined => {
  const found = process.geteuid?.() === 0 ? statAt(path) : undefined
  return found?.uid === 0 ? undefined : found
}

/** The same for the process that the options mean, or for what would run, and the options by which that user finds it: root's home is not his. */
export const ownerOfNode = async <T extends RunningOptions>(
  context: Context,
  options: T
): Promise<{ owner: Ids | undefined; found: T }> => {
  if (process.geteuid?.() !== 0) return { owner: undefined, found: options }
  try {
    const folder = statAt(dirname(await runningSocket(context, options)))
    return { owner: folder === undefined || folder.uid === 0 ? undefined : folder, found: options }
  } catch (error) {
    if (!(error instanceof NothingRunningError)) throw error
    const { config, node } = options
    const loaded = await loadedConfig(context, {
      ...(config !== undefined && { config }),
      ...(node !== undefined && { name: node })
    })
    return { owner: ownerOf(loaded), found: loaded.file === undefined ? options : { ...options, config: loaded.file } }
  }
}

/** Gives up root for good, where the files that are worked on belong to somebody else. */
export const becomeOwner = (owner: Ids | undefined): void => {
  if (owner === undefined) return
  become(owner)
  try {
    accessSync(fileURLToPath(import.meta.url), constants.R_OK)
  } catch {
    throw new UsageError(
      `The data belongs to user ${owner.uid}, who cannot read this program: run the installed one, /usr/local/bin/trustnet, or unpack it where everybody may read it.`
    )
  }
}

/**
 * Works on files of an installed node as the user of its service, in whose name all is done and made from here on: root would go where
 * that user leads it. The files that the work reads may be root's alone: they are opened before, and it is given copies.
 */
export const asOwner = async <T>(
  owner: Ids | undefined,
  { files, copiesIn = tmpdir() }: { files: readonly string[]; copiesIn?: string },
  work: (files: readonly string[]) => Promise<T>
): Promise<T> => {
  if (owner === undefined) return await work(files)
  const open = files.map((file) => ({ file, fds: beside.map((end) => ({ end, fd: openFile(file + end) })) }))
  becomeOwner(owner)
  const folder = mkdtempSync(join(copiesIn, `.read-${process.pid}-`))
  try {
    for (const { file, fds } of open) {
      for (const { end, fd } of fds) if (fd !== undefined) copyFrom(fd, join(folder, basename(file) + end))
    }
    return await work(files.map((file) => join(folder, basename(file))))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
