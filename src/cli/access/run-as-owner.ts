import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A backup lies beside its manifest. */
const beside = ['', '.json']

/**
 * The data of an installed node belongs to the user of its service. Root works on it as that user, so that the service can go on with
 * all that is made. The files that the work reads may be root's alone: it is given copies of them.
 */
export const asOwner = async <T>(
  data: string,
  files: readonly string[],
  work: (files: readonly string[]) => Promise<T>
): Promise<T> => {
  const owner = statSync(data, { throwIfNoEntry: false })
  if (process.geteuid?.() !== 0 || owner === undefined || owner.uid === 0) return await work(files)
  const { uid, gid } = owner
  const folder = mkdtempSync(join(data, '.read-'))
  try {
    const copies = files.map((file) => copyInto(folder, file, owner))
    chownSync(folder, uid, gid)
    process.setegid?.(gid)
    process.seteuid?.(uid)
    return await work(copies)
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
    rmSync(folder, { recursive: true, force: true })
  }
}

const copyInto = (folder: string, file: string, { uid, gid }: { uid: number; gid: number }): string => {
  for (const end of beside) {
    if (!existsSync(file + end)) continue
    const copy = join(folder, basename(file) + end)
    copyFileSync(file + end, copy)
    chmodSync(copy, 0o600)
    chownSync(copy, uid, gid)
  }
  return join(folder, basename(file))
}
