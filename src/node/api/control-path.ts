import { closeSync, fstatSync, openSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ControlError } from './errors.ts'

/** Flags of open(2) on Linux: the entry itself without its content (Node does not name O_PATH), and no link in its place. */
const O_PATH = 0o10000000
const O_NOFOLLOW = 0o400000

/** A path by which a socket is connected to, until it is let go. */
export interface ControlPath extends Disposable {
  readonly path: string
}

/** Holds what a path leads to by its number, once it was judged. @throws as open(2), and as `judge` */
export const holdPath = (path: string, judge: (found: Stats) => void, flags = 0): ControlPath => {
  if (process.platform !== 'linux') {
    judge(statSync(path))
    return { path, [Symbol.dispose]() {} }
  }
  const fd = openSync(path, O_PATH | flags)
  try {
    judge(fstatSync(fd))
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { path: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) }
}

/**
 * Holds a control socket by its number, so that a connection to it leads nowhere else: whoever may write to its folder could put a link
 * in its place, to a socket of somebody else. It belongs to the owner of the folder.
 * @throws ControlError for what is no such socket; as open(2)
 */
export const holdSocket = (path: string): ControlPath => {
  if (process.platform !== 'linux') return { path, [Symbol.dispose]() {} }
  const judge = (found: Stats): void => {
    if (!found.isSocket() || found.uid !== statSync(dirname(path)).uid) throw notOurs(path)
  }
  return holdPath(path, judge, O_NOFOLLOW)
}

const notOurs = (path: string): ControlError =>
  new ControlError(
    `${path} is no socket of the user to whom its folder belongs: nothing is sent to it. Look at it (ls -ld ${path}), remove it, and start the node again.`,
    'AccessError',
    403
  )
