import { appendFileSync, lstatSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isOwnerAlive, ownerOf, thisOwner } from '../../runtime/files/owner.ts'
import { readText } from '../../runtime/files/read-file.ts'

/** Beginning of the names of the folders that `dev` and `drill` make for themselves. */
export const ownPrefix = 'trustnet-dev-'

/** In the folder of a network: a line for the process that made it, and then one for each that it started. */
const noteIn = (folder: string): string => join(folder, 'processes')
const maxNoteBytes = 64 * 1024

/** A process number means something in one namespace alone: containers may share a temporary folder. */
const namespace = (): string => readlinkSync('/proc/self/ns/pid')

const lineOf = (owner: string): string => `${owner} ${namespace()}\n`

/** Notes that this process has the network of the folder. */
export const noteMaker = (folder: string): void => {
  if (process.platform === 'linux') writeFileSync(noteIn(folder), lineOf(thisOwner()), { mode: 0o600 })
}

/** Notes a process of that network. */
export const noteChild = (folder: string, pid: number | undefined): void => {
  if (process.platform === 'linux' && pid !== undefined) appendFileSync(noteIn(folder), lineOf(ownerOf(pid)))
}

/** All of them have ended: what is still in the folder is kept. */
export const dropNote = (folder: string): void => rmSync(noteIn(folder), { force: true })

/** Owners in the note of a folder of this user's own, which nobody else can write to; none where there is no such note. */
const notedIn = (folder: string): string[] => {
  try {
    const found = lstatSync(folder)
    if (!found.isDirectory() || found.uid !== process.geteuid?.() || (found.mode & 0o022) !== 0) return []
    const lines = readText(noteIn(folder), maxNoteBytes).split('\n').filter(Boolean)
    return lines.every((line) => line.endsWith(` ${namespace()}`)) ? lines : []
  } catch {
    return []
  }
}

/** The process that has the network of the folder and lives. */
export const makerOf = (folder: string): string | undefined => {
  const [maker] = notedIn(folder)
  return maker !== undefined && isOwnerAlive(maker) ? maker.split(' ')[0] : undefined
}

/** Ends what a killed process left running in the folder: they end by themselves, unless they are frozen. True: it was killed. */
export const endOrphans = (folder: string): boolean => {
  const [maker, ...children] = notedIn(folder)
  if (maker === undefined || isOwnerAlive(maker)) return false
  for (const child of children.filter(isOwnerAlive)) {
    try {
      process.kill(Number(child.split(' ')[0]), 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  return true
}

/** Removes the networks in a temporary folder whose `dev` or `drill` was killed. What cannot be removed hinders nobody. */
export const removeLeftOvers = async (temporary: string): Promise<void> => {
  const names = await readdir(temporary).catch(() => [])
  for (const name of names.filter((each) => each.startsWith(ownPrefix))) {
    const folder = join(temporary, name)
    // Those that were ended a moment ago may still write.
    if (endOrphans(folder)) await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined)
  }
}
