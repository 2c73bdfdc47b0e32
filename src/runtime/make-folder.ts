import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { codeOf } from './error-code.ts'

/**
 * Makes a folder and those above it that are not there. Node's recursive mkdir never returns where a file system answers ENOENT to
 * every folder, as /proc does: it would hold the process at full CPU, and no signal would reach it.
 * @throws the error of the system for the first folder that cannot be made
 */
export function makeFolder(path: string, mode: number): void {
  const folder = resolve(path)
  if (isFolder(folder)) return
  makeFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    // Another process may have made it in between.
    if (codeOf(error) !== 'EEXIST' || !isFolder(folder)) throw error
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
