import { dirname } from 'node:path'

/** Calls that change what a path leads to, or go where it leads. Those that only look (stat, readlink, access) are left out. */
const acting =
  /^(?:open|openat|openat2|creat|rename\w*|unlink\w*|rmdir|mkdir\w*|link|linkat|symlink\w*|chmod|fchmodat2?|chown|fchownat|lchown|truncate|utime\w*|futimesat|mknod\w*|mount|chdir|chroot|execve\w*|connect|bind|\w*setxattr|swapon|acct|statfs)$/
/** The last part of their path is not followed when it is a link. */
const stays = /^(?:rename|unlink|rmdir|mkdir|symlink|lchown|link$|linkat$)/
const kills = /^(?:kill|tkill|tgkill|pidfd_send_signal)$/
const becomes = /^set(?:res|re|e)?uid$/

interface Call {
  readonly pid: string
  readonly name: string
  readonly args: string
  readonly result: string
}

const callOf = (line: string): Call | undefined => {
  const [, pid, name, args, result] = /^(\d+) +(\w+)\((.*?)(?:\) += (.*)| <unfinished \.\.\.>)$/.exec(line) ?? []
  return pid === undefined || name === undefined ? undefined : { pid, name, args: args ?? '', result: result ?? '' }
}

/** What strace(1) with `-f -y` saw of a command and its children: who was which user, and where the numbers of folders lead. */
class Trace {
  readonly #parents = new Map<string, string>()
  readonly #uids = new Map<string, string>()
  readonly #folders = new Map<string, string>()

  constructor(lines: readonly string[]) {
    for (const line of lines) {
      const [, parent, child] = /^(\d+) +(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$/.exec(line) ?? []
      if (parent !== undefined && child !== undefined) this.#parents.set(child, parent)
    }
  }

  isOwn = (pid: string): boolean => this.#parents.has(pid)

  uidOf(pid: string): string {
    const known = this.#uids.get(pid)
    const parent = this.#parents.get(pid)
    const uid = known ?? (parent === undefined ? '0' : this.uidOf(parent))
    this.#uids.set(pid, uid)
    return uid
  }

  see({ pid, name, args, result }: Call): void {
    const [, fd, path] = /^(\d+)<([^>]*)>/.exec(result) ?? []
    if (fd !== undefined && path !== undefined) this.#folders.set(`${pid} ${fd}`, path)
    if (becomes.test(name) && result.startsWith('0')) this.#uids.set(pid, args.split(', ')[0] ?? '')
  }

  /** Paths that a call names: as it names them, and where they lie. */
  paths({ pid, name, args: all }: Call): { text: string; whole: string }[] {
    const args = name.startsWith('execve') ? (all.split(', [')[0] ?? '') : all
    const named = [...args.matchAll(/(?:(AT_FDCWD|\d+)<([^>]*)>, )?(?:sun_path=)?"((?:[^"\\]|\\.)*)"/g)]
    return named.map(([, fd, base = '', text = '']) => {
      const [, number, rest = ''] = /^\/proc\/self\/fd\/(\d+)(.*)$/.exec(text) ?? []
      const from = number === undefined ? '' : (this.#folders.get(`${pid} ${number}`) ?? '')
      const whole = number !== undefined ? from + rest : text.startsWith('/') ? text : `${base}/${text}`
      return {
        text: fd === undefined || fd === 'AT_FDCWD' ? text : `/proc/self/fd/${fd}/${text}`,
        whole: whole.replaceAll(/\/\.?(?=\/|$)/g, '')
      }
    })
  }
}

/** By the number of an open folder or file, of which the last part is not followed. Above the folders all is root's, so an entry of theirs may be opened without. */
const isByNumber = (text: string, { name, args }: Call, folders: readonly string[]): boolean =>
  (name.startsWith('open') && args.includes('O_NOFOLLOW') && folders.includes(dirname(text))) ||
  /^\/proc\/self\/fd\/\d+$/.test(text) ||
  (/^\/proc\/self\/fd\/\d+\/[^/]*$/.test(text) &&
    (stays.test(name) || args.includes('O_NOFOLLOW') || text.endsWith('/.')))

export interface ReadTrace {
  /** Paths inside of the folders that the command or a child of it named. */
  readonly touched: ReadonlySet<string>
  /** What it did as root by a path inside of the folders, and signals of root to processes that it did not start. */
  readonly byPath: readonly string[]
}

/** What a command and its children did in folders in which another user may write, as strace(1) with `-f -y` saw it. */
export const readTrace = (trace: string, folders: readonly string[]): ReadTrace => {
  const lines = trace.split('\n')
  const seen = new Trace(lines)
  const touched = new Set<string>()
  const byPath: string[] = []
  for (const line of lines) {
    const call = callOf(line)
    if (call === undefined) continue
    const isRoot = seen.uidOf(call.pid) === '0'
    const inside = seen.paths(call).filter(({ whole }) => folders.some((folder) => whole.startsWith(`${folder}/`)))
    for (const { whole } of inside) touched.add(whole)
    const isAstray = acting.test(call.name) && inside.some(({ text }) => !isByNumber(text, call, folders))
    if (isRoot && (isAstray || isForeignSignal(call, seen))) byPath.push(line)
    seen.see(call)
  }
  return { touched, byPath }
}

const isForeignSignal = ({ name, args }: Call, seen: Trace): boolean => {
  const [target = '', signal] = args.split(', ')
  // 0 is its own group.
  return kills.test(name) && signal !== '0' && target !== '0' && !seen.isOwn(target)
}
