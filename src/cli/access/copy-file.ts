import { closeSync, fstatSync, fsyncSync, openSync, readSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { openFile } from '../../install/machine/open-safely.ts'
import { ExitError, exitCodes } from '../output/exit.ts'

const chunkBytes = 256 * 1024

/** The rest of an open file, as a new file of mode 0600, whole or not at all; none that fills the disk. @throws ExitError, the error of the system */
export const copyFrom = (fd: number, to: string): void => {
  const { size } = fstatSync(fd)
  const { bavail, bsize } = statfsSync(dirname(to))
  if (size > (bavail * bsize) / 2)
    throw new ExitError(exitCodes.failure, `There is no room for ${size} bytes in ${to}.`)
  const copy = openSync(to, 'wx', 0o600)
  try {
    const chunk = Buffer.alloc(chunkBytes)
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) writeAll(copy, chunk.subarray(0, read))
    fsyncSync(copy)
  } catch (error) {
    rmSync(to, { force: true })
    throw error
  } finally {
    closeSync(copy)
  }
}

/** A system that has no room for all takes a part without an error. */
const writeAll = (file: number, bytes: Buffer): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}

/**
 * Takes a file from a folder that another user can write to: that user's own file alone, and no link.
 * @throws InstallError, ExitError
 */
export const takeFile = (from: string, to: string, uid: number): void => {
  const fd = openFile(from)
  if (fd === undefined) throw new ExitError(exitCodes.failure, `${from} is gone: the process did not make it.`)
  try {
    const found = fstatSync(fd)
    if (found.uid !== uid)
      throw new ExitError(exitCodes.refused, `${from} belongs to user ${found.uid}, not to ${uid}: it is not taken.`)
    copyFrom(fd, to)
  } finally {
    closeSync(fd)
  }
}
