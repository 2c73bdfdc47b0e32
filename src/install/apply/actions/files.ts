import { chown, lstat, readdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type Ids,
  idsOf,
  kindOf,
  makeFolder,
  missingFolders,
  modeOf,
  removeEmpty,
  removeFile,
  replaceFile,
  targetOf,
  textOf,
  unfinished
} from '../../machine/files-on-disk.ts'
import type { DataAction, FileAction, FolderAction, LinkAction } from '../../model/action.ts'
import { serviceUser } from '../../model/layout.ts'
import type { Kind } from './kind.ts'

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
const ownerName = (owner: string): string => (owner === 'root' ? 'root' : serviceUser)

export const folderKind: Kind<FolderAction> = {
  describe: ({ path, mode, owner }) => ({ text: `folder ${path} (${octal(mode)}, ${ownerName(owner)})`, lines: [] }),
  before: async ({ path }) => ({ made: await missingFolders(path) }),
  apply: async ({ path, mode, owner }) => await makeFolder(path, mode, await idsOf(owner)),
  revert: async (_, { made }) => {
    for (const path of (Array.isArray(made) ? made : []).toReversed()) {
      // What others have put there stays, and nobody who gets the number of the service's user later may replace it.
      if (!(await removeEmpty(String(path)))) await chown(String(path), 0, 0)
    }
  }
}

export const fileKind: Kind<FileAction> = {
  describe: ({ path, mode, owner, text, secret }) => ({
    text: `file ${path} (${octal(mode)}, ${ownerName(owner)})`,
    lines: secret === true ? ['(a secret, not shown)'] : text.trimEnd().split('\n')
  }),
  before: async ({ path }) => ({ text: (await textOf(path)) ?? null, mode: (await modeOf(path)) ?? null }),
  apply: async ({ path, text, mode, owner, once, filled }, { passphrase }) => {
    if (once === true && (await kindOf(path)) === 'file') return
    await replaceFile(path, filled === true ? await filledIn(text, passphrase) : text, mode, await idsOf(owner))
  },
  revert: async ({ path }, { text, mode }) => {
    if (typeof text === 'string') await replaceFile(path, text, Number(mode), await idsOf('root'))
    else await removeFile(path)
  }
}

const filledIn = async (text: string, passphrase: string): Promise<string> => {
  const whole = text.replaceAll('@PASSPHRASE@', () => passphrase)
  if (!/@[UG]ID@/.test(whole)) return whole
  const { uid, gid } = await idsOf('trustnet')
  return whole.replaceAll('@UID@', String(uid)).replaceAll('@GID@', String(gid))
}

export const linkKind: Kind<LinkAction> = {
  describe: ({ path, target }) => ({ text: `link ${path} → ${target}`, lines: [] }),
  before: async ({ path }) => ({ target: (await targetOf(path)) ?? null, made: await missingFolders(dirname(path)) }),
  apply: async ({ path, target }) => await relink(path, target),
  revert: async ({ path }, { target, made }) => {
    await removeFile(path)
    if (typeof target === 'string') await symlink(target, path)
    for (const folder of (Array.isArray(made) ? made : []).toReversed()) await removeEmpty(String(folder))
  }
}

/** In one step: a service that starts meanwhile finds the old or the new target. */
const relink = async (path: string, target: string): Promise<void> => {
  if ((await targetOf(path)) === target) return
  await makeParent(path)
  const temporary = unfinished(path)
  await rm(temporary, { force: true })
  await symlink(target, temporary)
  await rename(temporary, path)
}

const makeParent = async (path: string): Promise<void> => {
  const folder = dirname(path)
  if ((await kindOf(folder)) === undefined) await makeFolder(folder, 0o755, await idsOf('root'))
}

export const dataKind: Kind<DataAction> = {
  describe: ({ path }) => ({ text: `data folder ${path} (0700, ${serviceUser}): keys and database`, lines: [] }),
  before: async ({ path }) => ({ made: await missingFolders(path) }),
  apply: async ({ path }) => {
    const ids = await idsOf('trustnet')
    await makeFolder(path, 0o700, ids)
    await chownAll(path, ids)
  },
  revert: async ({ path }, { made }, { purge, tell }) => {
    if (purge) {
      await rm(path, { recursive: true, force: true })
      // Of keys that an uninstall before had kept.
      await removeEmpty(dirname(path))
      for (const folder of (Array.isArray(made) ? made : []).toReversed()) await removeEmpty(String(folder))
    } else if ((await kindOf(path)) === 'folder' && !(await removeEmpty(path))) {
      // The service's user goes: nobody who gets its number later may read the keys.
      await chownAll(path, await idsOf('root'))
      tell(`kept: ${path} with the keys; \`trustnet uninstall --purge\` removes it, a new install of this name uses it`)
    }
  }
}

/** Links are not followed: a data folder must not lead out of itself. */
export const chownAll = async (path: string, ids: Ids): Promise<void> => {
  const found = await lstat(path)
  if (found.isSymbolicLink()) return
  if (found.isDirectory()) for (const name of await readdir(path)) await chownAll(join(path, name), ids)
  await chown(path, ids.uid, ids.gid)
}
