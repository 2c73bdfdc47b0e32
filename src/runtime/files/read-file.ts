import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { UnfitFileError } from '../errors.ts'

/**
 * Opens a file that somebody named, for reading. A pipe or a device in its place would hold this process for ever, and no signal would
 * reach it. `flags` are added to those for reading.
 * @throws UnfitFileError when it is no regular file; the error of the system when it cannot be opened
 */
export function openRegular(path: string, flags = 0): number {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags)
  const found = fstatSync(file)
  if (found.isFile()) return file
  closeSync(file)
  throw new UnfitFileError(`${path} cannot be read: it is ${kindOf(found)}, and a file is due; name the file`)
}

const kindOf = (found: Stats): string => {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a pipe'
  return found.isSocket() ? 'a socket' : 'a device'
}

/** Bytes of a file that has no more than `maxBytes`. @throws UnfitFileError, or the error of the system */
export function readSmall(path: string, maxBytes: number): Buffer {
  const file = openRegular(path)
  try {
    return readOpen(file, path, maxBytes)
  } finally {
    closeSync(file)
  }
}

/** The same of an open file, from its begin. */
export function readOpen(file: number, path: string, maxBytes: number): Buffer {
  // One byte more than is taken shows that there is more.
  const bytes = Buffer.allocUnsafe(Math.min(maxBytes, fstatSync(file).size + smallBytes) + 1)
  let length = 0
  for (let read = 1; read > 0 && length < bytes.length; length += read)
    read = readSync(file, bytes, length, bytes.length - length, length)
  if (length > maxBytes)
    throw new UnfitFileError(
      `${path} cannot be read: it is longer than ${maxBytes} bytes, so it is another kind of file`
    )
  return bytes.subarray(0, length)
}

/** A file that grows while it is read, or that says it is empty as those of /proc do. */
const smallBytes = 64 * 1024

/**
 * Text of a file with a secret. Its kind comes before its mode: nobody is told to change the mode of a folder or a device.
 * `others`: rights that nobody else may have, such as 0o077; `mode`: the one to give it.
 * @throws UnfitFileError, or the error of the system
 */
export function readPrivateText(path: string, maxBytes: number, rights: { others: number; mode: string }): string {
  const file = openRegular(path)
  try {
    if ((fstatSync(file).mode & rights.others) !== 0)
      throw new UnfitFileError(`others can read it: chmod ${rights.mode} ${path}`)
    return readOpen(file, path, maxBytes).toString('utf8')
  } finally {
    closeSync(file)
  }
}

/** Text of a file that has no more than `maxBytes`. @throws UnfitFileError, or the error of the system */
export const readText = (path: string, maxBytes: number): string => readSmall(path, maxBytes).toString('utf8')
