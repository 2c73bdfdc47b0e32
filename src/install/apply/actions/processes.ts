import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { cleanEnvironment } from '../../../runtime/clean-environment.ts'
import { accountOf } from '../../machine/files-on-disk.ts'
import type { Ids } from '../../machine/safe-files.ts'
import { sharedUser } from '../../model/layout.ts'

/** A process ends within 5 s of the signal. */
const stopMs = 8000
const lookMs = 50

/**
 * Signals every process of a user, as that user: no number of a process is taken from anybody, and no process of another hears of it.
 * true: there was one.
 */
const signalAll = async ({ uid, gid }: Ids, signal: 'TERM' | 'KILL' | '0'): Promise<boolean> => {
  const shell = spawn('/bin/sh', ['-c', `kill -${signal} -1`], {
    uid,
    gid,
    cwd: '/',
    env: cleanEnvironment(),
    stdio: 'ignore'
  })
  const [code] = await once(shell, 'exit')
  return code === 0
}

/** The ids of a node's own user; undefined: it shared one with others, or is gone. */
const ownIds = async (user: string): Promise<Ids | undefined> => {
  const ids = user === sharedUser ? undefined : await accountOf(user)
  return ids?.uid === 0 ? undefined : ids
}

/** Asks the processes of a node to end. false: one is still there after 8 s. */
export const stopProcesses = async (user: string): Promise<boolean> => {
  const ids = await ownIds(user)
  if (ids === undefined || !(await signalAll(ids, 'TERM'))) return true
  const deadline = performance.now() + stopMs
  while (await signalAll(ids, '0')) {
    if (performance.now() > deadline) return false
    await sleep(lookMs)
  }
  return true
}

/** A user with a process cannot be removed, and one that goes must leave nobody behind who could write to what it had. */
export const endProcesses = async (user: string): Promise<void> => {
  const ids = await ownIds(user)
  if (ids !== undefined) await signalAll(ids, 'KILL')
}
