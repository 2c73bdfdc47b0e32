import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cleanEnvironment } from '../../../runtime/clean-environment.ts'
import { accountOf } from '../../machine/files-on-disk.ts'
import type { Ids } from '../../machine/open-safely.ts'
import { sharedUser } from '../../model/layout.ts'

/** A process ends within 5 s of the signal. */
const stopMs = 8000
const lookMs = 50

/** True for a process of this machine itself: a container may have processes under the same number that have nothing to do with this user. */
const isHere = (pid: string): boolean => {
  const [root, own] = [statSync(`/proc/${pid}/root`), statSync('/')]
  return (
    root.dev === own.dev &&
    root.ino === own.ino &&
    readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid')
  )
}

/** Processes of a user that still run. */
const processesOf = (uid: number): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const uids = /^Uid:\t(.*)$/m.exec(status)?.[1]?.split('\t') ?? []
      return uids.every((one) => one === String(uid)) && !/^State:\t[ZX]/m.test(status) && isHere(pid)
    } catch {
      // It has ended meanwhile.
      return false
    }
  })

/** As that user: a number that means another process by now means one of the same user, or nothing. */
const signal = async (name: 'TERM' | 'KILL', pids: readonly string[], { uid, gid }: Ids): Promise<void> => {
  const options = { uid, gid, cwd: '/', env: cleanEnvironment(), stdio: 'ignore' } as const
  await once(spawn('/bin/sh', ['-c', 'kill -s "$0" "$@"', name, ...pids], options), 'exit')
}

/** The ids of a node's own user; undefined: it shared one with others, or is gone. */
const ownIds = async (user: string): Promise<Ids | undefined> => {
  const ids = user === sharedUser ? undefined : await accountOf(user)
  return ids?.uid === 0 ? undefined : ids
}

/** Asks the processes of a node to end. false: one is still there after 8 s. */
export const stopProcesses = async (user: string): Promise<boolean> => {
  const ids = await ownIds(user)
  if (ids === undefined) return true
  await signal('TERM', processesOf(ids.uid), ids)
  const deadline = performance.now() + stopMs
  while (processesOf(ids.uid).length > 0) {
    if (performance.now() > deadline) return false
    await sleep(lookMs)
  }
  return true
}

/** A user with a process cannot be removed, and one that goes must leave nobody behind who could write to what it had. */
export const endProcesses = async (user: string): Promise<void> => {
  const ids = await ownIds(user)
  if (ids === undefined) return
  const deadline = performance.now() + stopMs
  // One may start another meanwhile.
  for (let pids = processesOf(ids.uid); pids.length > 0 && performance.now() < deadline; pids = processesOf(ids.uid))
    await signal('KILL', pids, ids)
}
