import { closeSync, constants, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes zeros over all of an open file, down to the disk. */
export function overwriteOpen(file: number): void {
  writeSync(file, Buffer.alloc(fstatSync(file).size), 0)
  fsyncSync(file)
}

export function overwrite(path: string): void {
  const file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    overwriteOpen(file)
  } finally {
    closeSync(file)
  }
}

/** Makes what was renamed or removed in the folder of a file durable. */
export function syncFolderOf(path: string): void {
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
