import type { Ids } from '../../machine/open-safely.ts'

/**
 * Gives up root for good: this process is that user from here on, in nothing but its own group. A process that was root and did not
 * start another program since can be looked into by nobody else of that user (ptrace(2)).
 */
export const become = ({ uid, gid }: Ids): void => {
  process.umask(0o077)
  process.chdir('/')
  process.setgroups?.([])
  process.setgid?.(gid)
  process.setuid?.(uid)
}
