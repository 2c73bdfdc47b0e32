import { readdir, readFile, readlink } from 'node:fs/promises'
import type { Socket } from 'node:net'

/** State, remote address and inode in a line of /proc/net/tcp6 (proc(5)). */
const columns = { local: 1, remote: 2, inode: 9 }

/** Name of the member whose process holds the other end of a connection on this machine. Linux only. */
export async function sourceOf(socket: Socket, pids: ReadonlyMap<string, number>): Promise<string | undefined> {
  const inode = await inodeOf(socket.remotePort, socket.localPort)
  if (inode === undefined) return undefined
  for (const [name, pid] of pids) if (await holds(pid, inode)) return name
  return undefined
}

const hex = (port: number | undefined): string => `:${(port ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

async function inodeOf(local: number | undefined, remote: number | undefined): Promise<string | undefined> {
  const table = await readFile('/proc/net/tcp6', 'utf8')
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/)
    const isIt = fields[columns.local]?.endsWith(hex(local)) === true && fields[columns.remote]?.endsWith(hex(remote))
    if (isIt === true) return fields[columns.inode]
  }
  return undefined
}

async function holds(pid: number, inode: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  const names = await readdir(folder).catch(() => [])
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
  return links.includes(`socket:[${inode}]`)
}
