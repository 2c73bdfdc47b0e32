import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ControlClient } from '../../../node/api/client.ts'
import { InstallError } from '../../errors.ts'
import { idsOf } from '../../machine/files-on-disk.ts'
import type { ForegroundAction } from '../../model/action.ts'
import type { ForegroundChild } from '../../model/tools.ts'
import type { Kind } from './kind.ts'

/** A process ends within 5 s of the signal. */
const stopMs = 8000
const lookMs = 50

/** Settings of the operator's own shell must not reach the node: its configuration file says all. */
const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRUSTNET_')))

export const foregroundKind: Kind<ForegroundAction> = {
  describe: ({ command }) => ({
    text: 'a process of the user trustnet under this installer, until it is stopped (Ctrl-C)',
    lines: [command.join(' ')]
  }),
  before: async () => ({}),
  apply: async (action, { children }) => {
    if ((await pidAt(action.socket)) === undefined) children.set(action.node, await start(action))
  },
  revert: async ({ socket, node }) => {
    const pid = await pidAt(socket)
    if (pid === undefined) return
    process.kill(pid, 'SIGTERM')
    const deadline = performance.now() + stopMs
    // Not only its socket: a user with a process cannot be removed.
    while (isAlive(pid)) {
      if (performance.now() > deadline) {
        throw new InstallError(
          `${node} (pid ${pid}) did not stop within ${stopMs / 1000} s: stop it, then run this again.`
        )
      }
      await sleep(lookMs)
    }
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The process behind a control socket; undefined: nobody answers. */
const pidAt = async (socket: string): Promise<number | undefined> => {
  try {
    return (await new ControlClient({ path: socket, timeoutMs: 5000 }).status()).self.pid
  } catch {
    return undefined
  }
}

const start = async ({ command }: ForegroundAction): Promise<ForegroundChild> => {
  const [file = '', ...args] = command
  const { uid, gid } = await idsOf('trustnet')
  // Its stdin is a pipe from here: it ends with the installer, even if that is killed. Its log is no answer of the command.
  const child = spawn(file, args, { uid, gid, cwd: '/', env: environment(), stdio: ['pipe', 2, 2] })
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : 1))
  ended.catch(() => undefined)
  await once(child, 'spawn')
  return { pid: child.pid ?? 0, ended, stop: () => child.kill('SIGTERM') }
}
