import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** State of a listening socket in /proc/net/tcp6. */
const listening = '0A'

/** The process that listens on a TCP port of this machine: `nginx (pid 812)`. undefined: nobody, or not ours to see. */
export function portHolder(port: number): string | undefined {
  const inodes = ['/proc/net/tcp6', '/proc/net/tcp'].flatMap((table) => listeners(table, port))
  if (inodes.length === 0) return undefined
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const holds = list(`/proc/${pid}/fd`).some((fd) => inodes.includes(link(`/proc/${pid}/fd/${fd}`)))
    if (holds) return `${nameOf(pid)} (pid ${pid})`
  }
  return undefined
}

/** The kernel keeps 15 characters: of our own title nothing but the first word is whole. */
const nameOf = (pid: string): string => {
  const name = read(`/proc/${pid}/comm`).trim() || 'a process'
  return name.startsWith('trustnet') ? 'trustnet' : name
}

const listeners = (table: string, port: number): string[] => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = read(table).split('\n').slice(1)
  const sockets = rows.map((row) => row.trim().split(/\s+/))
  const found = sockets.filter((fields) => fields[1]?.endsWith(wanted) && fields[3] === listening)
  return found.map((fields) => `socket:[${fields[9]}]`)
}

const quietly =
  <T>(run: (path: string) => T, otherwise: T) =>
  (path: string): T => {
    try {
      return run(path)
    } catch {
      // Another user's process, or one that has just ended.
      return otherwise
    }
  }

const list = quietly((path) => readdirSync(path), [])
const link = quietly((path) => readlinkSync(path), '')
const read = quietly((path) => readFileSync(path, 'utf8'), '')
