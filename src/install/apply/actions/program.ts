import { renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { idsOf, kindOf, makeFolder, missingFolders, removeEmpty } from '../../machine/files-on-disk.ts'
import type { ProgramAction } from '../../model/action.ts'
import type { Kind } from './kind.ts'

/** Beside its place until it is whole, so that a folder with a version's name always is a whole program. */
const unfinished = (folder: string): string =>
  join(dirname(folder), `.${folder.slice(dirname(folder).length + 1)}.part`)

export const programKind: Kind<ProgramAction> = {
  describe: ({ version, folder }) => ({
    text: `program ${version} with its own Node and dependencies in ${folder}`,
    lines: []
  }),
  before: async ({ folder }) => ({
    there: (await kindOf(folder)) === 'folder',
    made: await missingFolders(dirname(folder))
  }),
  apply: async ({ folder }, { program, signal, say }) => {
    if ((await kindOf(folder)) === 'folder') return
    await makeFolder(dirname(folder), 0o755, await idsOf('root'))
    const part = unfinished(folder)
    rmSync(part, { recursive: true, force: true })
    await program.copyTo(part, { signal, onFile: (files) => say(`${files} files`) })
    renameSync(part, folder)
  },
  revert: async ({ folder }, { there, made }) => {
    rmSync(unfinished(folder), { recursive: true, force: true })
    if (there === false) rmSync(folder, { recursive: true, force: true })
    for (const path of (Array.isArray(made) ? made : []).toReversed()) await removeEmpty(String(path))
  }
}
