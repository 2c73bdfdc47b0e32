import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { saveConfigValue } from '../../../node/config/index.ts'
import { OperatorError } from '../../errors.ts'
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

const root: Ids = { uid: 0, gid: 0 }

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
export const folderKind: Kind<FolderAction> = {
  describe: ({ path, mode, owner, foreign }) => ({
    text: `folder ${path} (${octal(mode)}, ${owner}${foreign === true ? ', when it is not there' : ''})`,
    lines: []
  }),
  before: async ({ path, foreign }) => ({
    made: await missingFolders(path),
    ...(foreign !== true && ownershipOf(path))
  }),
  apply: async ({ path, mode, owner, foreign }) => {
    if (foreign !== true || (await kindOf(path)) !== 'folder') await makeFolder(path, mode, await idsOf(owner))
  },
  revert: async ({ path, owner }, undo) => {
    const { made } = undo
    if (isOwnership(undo) && (await kindOf(path)) === 'folder')
      await makeFolder(path, undo.mode, await ownerAgain(undo, [owner]))
    for (const folder of (Array.isArray(made) ? made.map(String) : []).toReversed()) {
      // Files of others stay, and nobody who gets the number of the service's user later may replace it.
      if (!(await removeEmpty(folder))) await makeFolder(folder, (await modeOf(folder)) ?? 0o755, root)
    }
  }
}

/** Owner and mode of what was there before; nothing: there was none. */
const ownershipOf = (path: string): Partial<Ownership> => {
  const found = statAt(path)
  return found === undefined ? {} : { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid }
}

interface Ownership extends Ids {
  readonly mode: number
}

/** false: nothing was there, or an older version has not written it down. */
const isOwnership = (undo: object): undo is Ownership =>
  ['mode', 'uid', 'gid'].every((key) => typeof Reflect.get(undo, key) === 'number')

/** Ids of the owner and group of before. What belonged to a user of the service, or to nobody any more, becomes root's: another may get the number. */
const ownerAgain = async ({ uid, gid }: Ids, service: readonly string[]): Promise<Ids> => {
  const isService = (name: string): boolean =>
    name !== 'root' && (service.includes(name) || name === sharedUser || name.startsWith(`${sharedUser}-`))
  const stays = async (table: string, id: number): Promise<boolean> =>
    (await textOf(table))?.split('\n').some((line) => {
      const [name = '', , number] = line.split(':')
      return number === String(id) && !isService(name)
    }) ?? false
  return { uid: (await stays('/etc/passwd', uid)) ? uid : 0, gid: (await stays('/etc/group', gid)) ? gid : 0 }
}

/** A plan is read by people: a unit and a configuration are shown, a dashboard is not. */
const mostShown = 200

const shown = (text: string): string[] => {
  const lines = text.trimEnd().split('\n')
  return lines.length <= mostShown ? lines : [`(${lines.length} lines, ${Buffer.byteLength(text)} bytes)`]
}

export const fileKind: Kind<FileAction> = {
  describe: ({ path, mode, owner, text, secret }) => ({
    text: `file ${path} (${octal(mode)}, ${owner})`,
    lines: secret === true ? ['(a secret, not shown)'] : shown(text)
  }),
  before: async ({ path, once, secret }) => {
    const text = (await textOf(path)) ?? null
    // A secret that stays as it is found is written down nowhere.
    const stays = once === true && secret === true && text !== null
    return { ...(!stays && { text }), ...ownershipOf(path) }
  },
  apply: async (action, { passphrase }) => {
    const { path, text, mode, once, filled } = action
    const ids = await ownersOf(action)
    if (once === true && (await kindOf(path)) === 'file') return keepFile(action, ids)
    await replaceFile(path, filled === undefined ? text : await filledIn(text, filled, passphrase), mode, ids)
  },
  revert: async ({ path, owner, group = owner }, undo) => {
    const { text, mode } = undo
    if (typeof text === 'string')
      await replaceFile(path, text, Number(mode), isOwnership(undo) ? await ownerAgain(undo, [owner, group]) : root)
    else if (text === undefined && isOwnership(undo))
      await setOwner(path, undo.mode, await ownerAgain(undo, [owner, group]))
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

const tokenBytes = 24

const filledIn = async (text: string, filled: true | string, passphrase: string): Promise<string> => {
  const whole = text
    .replaceAll('@PASSPHRASE@', () => passphrase)
    .replaceAll('@TOKEN@', () => randomBytes(tokenBytes).toString('base64url'))
  if (!/@[UG]ID@/.test(whole)) return whole
  const { uid, gid } = await idsOf(filled === true ? sharedUser : filled)
  return whole.replaceAll('@UID@', String(uid)).replaceAll('@GID@', String(gid))
}

export const linkKind: Kind<LinkAction> = {
  describe: ({ path, target }) => ({ text: `link ${path} → ${target}`, lines: [] }),
  before: async ({ path }) => {
    const found = await kindOf(path)
    if (found !== undefined && found !== 'link')
      throw new OperatorError(
        `${path} is there already, and no link: it is not replaced. Move it away, then run this again.`
      )
    return { target: (await targetOf(path)) ?? null, made: await missingFolders(dirname(path)) }
  },
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
