import { dirname } from 'node:path'
import { saveConfigValue } from '../../../node/config/index.ts'
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
  replaceLink,
  setOwner,
  targetOf,
  textOf
} from '../../machine/files-on-disk.ts'
import { statAt } from '../../machine/open-safely.ts'
import { ownTree, removeTree } from '../../machine/safe-trees.ts'
import type { DataAction, FileAction, FolderAction, LinkAction } from '../../model/action.ts'
import { sharedUser } from '../../model/layout.ts'
import type { Kind } from './kind.ts'
import { endProcesses } from './processes.ts'

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
export const folderKind: Kind<FolderAction> = {
  describe: ({ path, mode, owner }) => ({ text: `folder ${path} (${octal(mode)}, ${owner})`, lines: [] }),
  before: async ({ path }) => ({ made: await missingFolders(path) }),
  apply: async ({ path, mode, owner }) => await makeFolder(path, mode, await idsOf(owner)),
  revert: async (_, { made }) => {
    for (const path of (Array.isArray(made) ? made : []).toReversed()) {
      // Files of others stay, and nobody who gets the number of the service's user later may replace it.
      if (!(await removeEmpty(String(path))))
        await makeFolder(String(path), (await modeOf(String(path))) ?? 0o755, await idsOf('root'))
    }
  }
}

export const fileKind: Kind<FileAction> = {
  describe: ({ path, mode, owner, text, secret }) => ({
    text: `file ${path} (${octal(mode)}, ${owner})`,
    lines: secret === true ? ['(a secret, not shown)'] : text.trimEnd().split('\n')
  }),
  before: async ({ path }) => ({ text: (await textOf(path)) ?? null, mode: (await modeOf(path)) ?? null }),
  apply: async (action, { passphrase }) => {
    const { path, text, mode, once, filled } = action
    const ids = await ownersOf(action)
    if (once === true && (await kindOf(path)) === 'file') return keepFile(action, ids)
    await replaceFile(path, filled === undefined ? text : await filledIn(text, filled, passphrase), mode, ids)
  },
  revert: async ({ path }, { text, mode }) => {
    if (typeof text === 'string') await replaceFile(path, text, Number(mode), await idsOf('root'))
    else await removeFile(path)
  }
}

const ownersOf = async ({ owner, group }: FileAction): Promise<Ids> => {
  const ids = await idsOf(owner)
  return group === undefined ? ids : { uid: ids.uid, gid: (await idsOf(group)).gid }
}

/** One that somebody else could write to may say anything: where root goes stays the installer's. */
const keepFile = async ({ path, mode, pinned = {} }: FileAction, ids: Ids): Promise<void> => {
  await setOwner(path, mode, ids)
  for (const [key, value] of Object.entries(pinned)) saveConfigValue(path, key, value)
  if (pinned['paths.data'] !== undefined) saveConfigValue(path, 'paths.key', undefined)
}

const filledIn = async (text: string, filled: true | string, passphrase: string): Promise<string> => {
  const whole = text.replaceAll('@PASSPHRASE@', () => passphrase)
  if (!/@[UG]ID@/.test(whole)) return whole
  const { uid, gid } = await idsOf(filled === true ? sharedUser : filled)
  return whole.replaceAll('@UID@', String(uid)).replaceAll('@GID@', String(gid))
}

export const linkKind: Kind<LinkAction> = {
  describe: ({ path, target }) => ({ text: `link ${path} → ${target}`, lines: [] }),
  before: async ({ path }) => ({ target: (await targetOf(path)) ?? null, made: await missingFolders(dirname(path)) }),
  apply: async ({ path, target }) => await relink(path, target),
  revert: async ({ path }, { target, made }) => {
    await removeFile(path)
    if (typeof target === 'string') await replaceLink(path, target)
    for (const folder of (Array.isArray(made) ? made : []).toReversed()) await removeEmpty(String(folder))
  }
}

const relink = async (path: string, target: string): Promise<void> => {
  if ((await targetOf(path)) === target) return
  const folder = dirname(path)
  if ((await kindOf(folder)) === undefined) await makeFolder(folder, 0o755, await idsOf('root'))
  await replaceLink(path, target)
}

export const dataKind: Kind<DataAction> = {
  describe: ({ path, owner = sharedUser }) => ({
    text: `data folder ${path} (0700, ${owner}): keys and database`,
    lines: []
  }),
  before: async ({ path }) => ({ made: await missingFolders(path) }),
  apply: async ({ path, owner = sharedUser }) => {
    const ids = await idsOf(owner)
    const before = statAt(path)
    // A folder of an earlier install, or of the user that all nodes had: its content changes hands, too.
    if (before?.isDirectory() === true && before.uid !== ids.uid) ownTree(path, ids)
    await makeFolder(path, 0o700, ids)
  },
  revert: async ({ path, owner = sharedUser }, { made }, tools) => {
    await endProcesses(owner)
    if (tools.purge) {
      removeTree(path)
      // The folder of keys that an earlier uninstall had kept.
      await removeEmpty(dirname(path))
      for (const folder of (Array.isArray(made) ? made : []).toReversed()) await removeEmpty(String(folder))
    } else if ((await kindOf(path)) === 'folder' && !(await removeEmpty(path))) {
      // The service's user goes: nobody who gets its number later may read the keys.
      ownTree(path, await idsOf('root'))
      tools.tell(
        `kept: ${path} with the keys; \`trustnet uninstall --purge\` removes it, a new install of this name uses it`
      )
    }
  }
}
