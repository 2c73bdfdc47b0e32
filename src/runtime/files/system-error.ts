import { accessSync, constants, lstatSync, readlinkSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'

interface Words {
  readonly why: string
  readonly next?: string
}

/** Meaning of the system's error codes, and what can be done. */
const wordsByCode: ReadonlyMap<string, Words> = new Map([
  ['ENOENT', { why: 'it is not there', next: 'look at the path, or make it' }],
  ['ENOTDIR', { why: 'a part of its path is a file where a folder is due', next: 'name another path' }],
  ['EISDIR', { why: 'it is a folder, and a file is due', next: 'name the file' }],
  ['EEXIST', { why: 'something is there already', next: 'name another path, or move it away' }],
  ['ENOTEMPTY', { why: 'the folder is not empty', next: 'look what is in it' }],
  ['ELOOP', { why: 'its links lead in a circle', next: 'remove the link' }],
  ['ENAMETOOLONG', { why: 'the name is longer than the file system takes', next: 'use a shorter one' }],
  ['EACCES', { why: 'this user has no right to', next: 'use another user (sudo), or change its owner or mode' }],
  ['EPERM', { why: 'this user has no right to', next: 'use another user (sudo), or change its owner or mode' }],
  ['EROFS', { why: 'the file system is read-only', next: 'name another folder, or mount it for writing' }],
  ['ENOSPC', { why: 'the disk is full', next: 'make room (df -h)' }],
  ['EDQUOT', { why: 'the disk quota of this user is used up', next: 'make room (quota -s)' }],
  ['EFBIG', { why: 'the file is larger than is allowed', next: 'raise the limit (ulimit -f)' }],
  ['EIO', { why: 'the device fails', next: 'look at the disk (dmesg)' }],
  ['EMFILE', { why: 'this process has no file descriptor left', next: 'raise the limit (ulimit -n, LimitNOFILE)' }],
  ['ENFILE', { why: 'the machine has no file descriptor left', next: 'raise fs.file-max' }],
  ['ENOMEM', { why: 'there is no memory left' }],
  ['EBUSY', { why: 'it is in use', next: 'stop what uses it' }],
  ['ETXTBSY', { why: 'the program runs', next: 'stop it first' }],
  ['EXDEV', { why: 'it is on another file system', next: 'name a folder on the same one' }],
  ['EINVAL', { why: 'the system does not take it' }],
  ['ENXIO', { why: 'nothing is behind it' }],
  ['EPIPE', { why: 'nobody reads it any more' }],
  ['EADDRINUSE', { why: 'the address is taken', next: 'stop what uses it, or choose another port' }],
  ['EADDRNOTAVAIL', { why: 'this machine does not have the address', next: 'look at `ip -6 address`' }],
  ['EAFNOSUPPORT', { why: 'this machine has no IPv6', next: 'look at trustnet doctor' }],
  ['ECONNREFUSED', { why: 'nobody listens there' }],
  ['ECONNRESET', { why: 'the other side hung up' }],
  ['ETIMEDOUT', { why: 'it does not answer' }],
  ['EHOSTUNREACH', { why: 'no way leads there', next: 'look at `ip -6 route`' }],
  ['ENETUNREACH', { why: 'no way leads there', next: 'look at `ip -6 route`' }],
  ['ENOTFOUND', { why: 'the name is not in DNS' }],
  ['EAI_AGAIN', { why: 'DNS does not answer', next: 'look at /etc/resolv.conf' }],
  ['ENOEXEC', { why: 'it is no program of this machine' }],
  ['EAGAIN', { why: 'the system has no room for it now', next: 'try again, or raise the limit (ulimit -u, TasksMax)' }],
  ['ESTALE', { why: 'the server of its file system does not know it any more', next: 'mount it again' }],
  ['ENOLCK', { why: 'its file system gives no locks', next: 'use a disk of this machine' }],
  ['EUCLEAN', { why: 'the file system is damaged', next: 'look at the disk (dmesg), and check it (fsck)' }]
])

const verbs: ReadonlyMap<string, string> = new Map([
  ['open', 'opened'],
  ['mkdir', 'made'],
  ['mkdtemp', 'made'],
  ['scandir', 'listed'],
  ['opendir', 'listed'],
  ['rename', 'renamed'],
  ['unlink', 'removed'],
  ['rmdir', 'removed'],
  ['rm', 'removed'],
  ['write', 'written'],
  ['read', 'read'],
  ['copyfile', 'copied'],
  ['chmod', 'given another mode'],
  ['chown', 'given another owner'],
  ['connect', 'reached'],
  ['listen', 'listened on'],
  ['bind', 'listened on'],
  ['spawn', 'run'],
  ['symlink', 'linked'],
  ['link', 'linked'],
  ['stat', 'looked at'],
  ['lstat', 'looked at'],
  ['access', 'used']
])

/** As the system calls print it: `ENOENT: no such file or directory, open '/x'`. */
const raw = /\b(E[A-Z\d_]{2,}): [^,'\n]{1,80}, (\w+)(?: '([^']*)')?(?: -> '([^']*)')?/g
/** `connect ECONNREFUSED ::1:80`, `write EPIPE` */
const rawSocket =
  /\b(connect|read|write|bind|listen|spawn) (E[A-Z_]{2,})\b:?(?: (?!because)(\S+))?(?: - Local \([^)]{0,80}\))?/g

/** `listen EADDRINUSE: address already in use ::1:80`: the words of the system between the code and the address say nothing more. */
const systemWords =
  /\b(listen|bind) (E[A-Z_]{2,}): (?:address already in use|address not available|address family not supported|permission denied|operation not permitted|invalid argument)\b/g

/** `spawn tar ENOENT` */
const rawSpawn = /\bspawn (\S+) (E[A-Z_]{2,})\b/g

/** Words of Node for a deadline that is over. */
const late = /\bThe operation was aborted due to timeout\b/g

/** `(ENOSPC)` */
const codeAlone = /\b(E[A-Z]{3,})\b/g

/** `X: cannot be read: X cannot be opened: why`: the caller named the file and the system names it again. */
const twice = /(?<!\S)(\S+)(: cannot be \w+: )\1 cannot be [a-z ]+: /g

const damagedStore =
  'The store is damaged, or was written to by another program. Stop this process, then: `trustnet registry verify` says what is wrong; a root restores its newest backup, any other node fetches its replica anew'

/** Words of SQLite for a store that failed while it was read, without which store or what to do. */
const ofStores: ReadonlyMap<string, string> = new Map([
  ['database disk image is malformed', damagedStore],
  ['file is not a database', damagedStore],
  ['disk I/O error', 'The disk under the store fails: look at it (dmesg)'],
  ['database or disk is full', 'The disk under the store is full; make room (df -h)'],
  ['attempt to write a readonly database', 'The file system of the store is read-only: mount it for writing'],
  [
    'unable to open database file',
    'The store, or a file beside it, cannot be opened: look at its folder and `ulimit -n`'
  ]
])

/** A text, of others too and of any length, with what system calls print said in words: what cannot be done, why, and what to do. */
export const inWords = (text: string): string =>
  (ofStores.get(text) ?? text)
    .replaceAll(raw, (_, code: string, call: string, path?: string, other?: string) => said(code, call, path, other))
    .replaceAll(rawSpawn, (_, program: string, code: string) => said(code, 'spawn', program))
    .replaceAll(systemWords, '$1 $2:')
    .replaceAll(rawSocket, (_, call: string, code: string, path?: string) => said(code, call, path))
    .replaceAll(late, 'it did not answer in time')
    .replaceAll(codeAlone, (whole, code: string) => wordsByCode.get(code)?.why ?? whole)
    .replaceAll(/\b(?:[A-Z]\w*)?Error: /g, '')
    .replaceAll(twice, '$1$2')

export const isSystemError = (error: Error): error is NodeJS.ErrnoException & { code: string; syscall: string } =>
  'syscall' in error && 'code' in error && typeof error.code === 'string' && wordsByCode.has(error.code)

const ofPathsAndRights: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM'
])

/** True when what the operator said is wrong: a path, or who runs the command. */
export const isOperatorMatter = (error: unknown): boolean =>
  error instanceof Error &&
  isSystemError(error) &&
  (typeof error.path === 'string' || error.syscall === cwdCall) &&
  ofPathsAndRights.has(error.code)

/** An error of a system call in words. */
export const systemErrorText = (error: NodeJS.ErrnoException): string =>
  error.code === undefined ? error.message : said(error.code, error.syscall ?? '', error.path)

/** The folder above is there: a file system as /proc says so. */
const noNewFolders: Words = { why: 'its file system takes no new folders', next: 'name another path' }

/** No address of this machine is fit for the way: that of the other side may be right. */
const noWay: Words = {
  why: 'no IPv6 address of this machine leads there',
  next: 'look at `ip -6 address` and `ip -6 route`'
}

/** A port that is for root alone. */
const lowPort: Words = {
  why: 'this user may not take a port below 1024',
  next: 'choose a higher one, or let everybody take it (sysctl net.ipv4.ip_unprivileged_port_start)'
}

/** A program that was to be run, by its name alone. */
const noProgram: Words = { why: 'this machine does not have that program', next: 'install it' }

/** Words of the system for a code that has none here. */
const unusual = (code: string): Words => {
  const found = [...getSystemErrorMap().values()].find(([name]) => name === code)
  return { why: found?.[1] ?? 'the system refuses it', next: 'look at the log of the system (dmesg)' }
}

const cwdCall = 'uv_cwd'
const noCwd = 'The folder in which this was called is not there any more: go to another one (cd /)'

const said = (code: string, syscall: string, path?: string, other?: string): string => {
  // A failure to run a program names it in the place of the call: `spawn tar`.
  const [call = ''] = syscall.split(' ')
  if (call === cwdCall) return noCwd
  const isMissing = call === 'spawn' && code === 'ENOENT' && path?.includes('/') !== true
  const { why, next } =
    (isMissing ? noProgram : undefined) ??
    (path === undefined ? undefined : onThePath(code, path)) ??
    (call === 'mkdir' && code === 'ENOENT' ? noNewFolders : undefined) ??
    (call === 'connect' && code === 'EADDRNOTAVAIL' ? noWay : undefined) ??
    (call === 'listen' && code === 'EACCES' && path?.startsWith('/') !== true ? lowPort : undefined) ??
    wordsByCode.get(code) ??
    unusual(code)
  const verb = verbs.get(call)
  const what = path === undefined ? '' : verb === undefined ? `${path}: ` : `${path} cannot be ${verb}: `
  const where = other === undefined ? '' : ` (to ${other})`
  return `${what}${why}${where}${next === undefined ? '' : `; ${next}`}`
}

/** Finds what is wrong above a path: the system names only its end. */
const onThePath = (code: string, path: string): Words | undefined => {
  if (code !== 'ENOENT' && code !== 'EEXIST' && code !== 'ENOTDIR') return undefined
  for (let at = resolve(path); ; at = dirname(at)) {
    const entry = attempt(() => lstatSync(at))
    if (entry === undefined && dirname(at) !== at) continue
    if (entry?.isSymbolicLink() === true && attempt(() => statSync(at)) === undefined) {
      const target = attempt(() => readlinkSync(at)) ?? 'elsewhere'
      return { why: `${at} is a link to ${target}, which is not there`, next: 'make that, or remove the link' }
    }
    if (code === 'EEXIST' || at === resolve(path)) return undefined
    if (entry?.isDirectory() === false)
      return { why: `${at} is a file, and a folder is due`, next: 'name another path' }
    return isReadOnly(at) ? wordsByCode.get('EROFS') : missing(at, path)
  }
}

const missing = (there: string, path: string): Words | undefined =>
  there === dirname(resolve(path))
    ? undefined
    : { why: `its folder is not there, only ${there} is`, next: 'look at the path, or make the folder' }

const isReadOnly = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS'
  }
}

const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}
