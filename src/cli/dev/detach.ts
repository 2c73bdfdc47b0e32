import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { controlClient } from '../../node/api/client.ts'
import { homes, socketPath } from '../../node/config/paths.ts'
import { cleanEnvironment } from '../../runtime/clean-environment.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import { program, receiverOfTraces } from './child.ts'
import { makeNetworkFolder } from './layout.ts'

/** Starts the network in a process of its own, which goes on, and prints an invite line when all are online. */
export async function detach({ terminal, signal }: Context, dir: string, nodes: number): Promise<void> {
  const folder = resolve(dir)
  const logs = join(folder, 'log')
  makeNetworkFolder(logs)
  const logFile = join(logs, 'dev.log')
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(process.execPath, [program(), 'dev', '--nodes', nodes.toString(), '--dir', folder], {
    detached: true,
    stdio: ['ignore', 'pipe', log],
    env: cleanEnvironment({}, { env: terminal.env, also: receiverOfTraces })
  })
  closeSync(log)
  const { stdout } = child
  if (stdout === null) throw new TypeError('the process was started without a pipe')
  const ended = once(child, 'exit')
  try {
    // It prints a table when all are online, and no more.
    const isUp = await breakable(
      signal,
      Promise.race([once(stdout, 'data', { signal }).then(() => true), ended.then(() => false)]),
      'all of it was stopped'
    )
    if (!isUp) throw new ExitError(exitCodes.failure, `The network did not start; see ${logFile}`)
    const root = controlClient({ path: socketPath(homes({ TRUSTNET_HOME: folder }).runtime, 'root') })
    const { line } = await root.invite({ role: 'external' }, { signal })
    if ((await terminal.handOver(line)) === 'lost')
      throw new ExitError(exitCodes.failure, 'The invite line could not be written.')
    terminal.progress(`The network goes on in ${folder}. \`kill ${child.pid}\` ends it. Its nodes are asked so:`)
    terminal.progress(`  export TRUSTNET_HOME=${folder}\n  trustnet peers --node node-1`)
  } catch (error) {
    child.kill()
    await ended
    throw error
  }
  stdout.destroy()
  child.unref()
}
