import { readFileSync } from 'node:fs'

/** When a process began, in ticks since the boot: its number alone may be another one's by now. '': there is none. */
const startOf = (pid: number): string => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return ''
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; the start is the 20th field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** A process, as a file names whose it is. */
export const ownerOf = (pid: number): string => `${pid} ${startOf(pid)}`

export const thisOwner = (): string => ownerOf(process.pid)

/** True while the process lives that is named so. */
export const isOwnerAlive = (owner: string): boolean => {
  const [pid = '', start = ''] = owner.trim().split(' ')
  return start !== '' && start === startOf(Number(pid))
}
