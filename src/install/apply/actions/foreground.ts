import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { controlClient } from '../../../node/api/client.ts'
import { cleanEnvironment } from '../../../runtime/clean-environment.ts'
import { InstallError } from '../../errors.ts'
import { idsOf } from '../../machine/files-on-disk.ts'
import type { ForegroundAction } from '../../model/action.ts'
import { sharedUser } from '../../model/layout.ts'
import type { ForegroundChild } from '../../model/tools.ts'
import type { Kind } from './kind.ts'
import { stopProcesses } from './processes.ts'

export const foregroundKind: Kind<ForegroundAction> = {
  describe: ({ command, user = sharedUser }) => ({
    text: `a process of the user ${user} under this installer, until it is stopped (Ctrl-C)`,
    lines: [command.join(' ')]
  }),
  before: async () => ({}),
  apply: async (action, { children }) => {
    if (!(await answers(action.socket))) children.set(action.node, await start(action))
  },
  revert: async ({ socket, node, user = sharedUser }) => {
    const isStopped = user === sharedUser ? !(await answers(socket)) : await stopProcesses(user)
    if (!isStopped) throw new InstallError(`${node} did not stop: stop it (user ${user}), then run this again.`)
  }
}

const answers = (socket: string): Promise<boolean> =>
  controlClient({ path: socket, timeoutMs: 5000 })
    .status()
    .then(
      () => true,
      () => false
    )

const start = async ({ command, user = sharedUser }: ForegroundAction): Promise<ForegroundChild> => {
  const [file = '', ...args] = command
  const { uid, gid } = await idsOf(user)
  // Its stdin is a pipe from here: it ends with the installer, even if that is killed. Its log is no answer of the command.
  const child = spawn(file, args, { uid, gid, cwd: '/', env: cleanEnvironment(), stdio: ['pipe', 2, 2] })
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : 1))
  ended.catch(() => undefined)
  await once(child, 'spawn')
  return { pid: child.pid ?? 0, ended, stop: () => child.kill('SIGTERM') }
}
