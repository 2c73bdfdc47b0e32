import type { Loaded } from '../../node/config/index.ts'
import { ServiceNotify } from '../../node/service-notify.ts'
import { becomeOwner, ownerOf } from '../access/run-as-owner.ts'
import { Faults } from '../faults.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes } from '../output/exit.ts'
import { SpareMemory } from './idle-gc.ts'

/** A stopped process is gone within 5 s of the signal; what hangs for so long is left to the end of the process. */
const stopMs = 4500

export interface RunOptions {
  /** Stop when stdin ends: whoever started this process is gone, even if it was killed. */
  stopWithStdin?: boolean
  /** Line of an invite that no file holds. */
  invite?: string | undefined
}

/** Runs a node in the foreground until SIGTERM, SIGINT or, if wanted, the end of stdin. */
export const runNode = async (context: Context, loaded: Loaded, options: RunOptions = {}): Promise<void> => {
  context.conduct('runs')
  const stop = options.stopWithStdin === true ? AbortSignal.any([context.signal, stdinEnd(context)]) : context.signal
  const owner = ownerOf(loaded)
  if (owner !== undefined) {
    context.terminal.progress(
      `${loaded.config.paths.data} belongs to user ${owner.uid}: this process goes on as that user.`
    )
    becomeOwner(owner)
  }
  // Commands that only ask a running process do not wait for libp2p and SQLite to load.
  const [{ createNode }, { createLogging }] = await Promise.all([
    import('../../node/index.ts'),
    import('../../node/logging.ts')
  ])
  using notify = new ServiceNotify(context.terminal.env)
  const { config, saveTo } = loaded
  const logging = createLogging({ node: config.name, ...config.logging, output: context.terminal.stdout })
  using faults = new Faults(logging.logger)
  const node = await createNode({ config, configFile: saveTo, invite: options.invite, logging })
  const stopped = aborted(stop)
  using _ = new SpareMemory().start()
  try {
    const started = node.start()
    // The signal may come first; what the start then says is no news.
    started.catch(() => undefined)
    await Promise.race([started, stopped, faults.fatal])
    notify.ready(`${loaded.config.role} ${loaded.config.name}`)
    await Promise.race([stopped, node.failed, node.stopped, faults.fatal])
  } finally {
    notify.stopping()
    await inTime(node.stop(stop.aborted ? 'stopped by the operator' : 'failed'))
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const stdinEnd = ({ terminal }: Context): AbortSignal => {
  const ended = new AbortController()
  for (const event of ['end', 'close', 'error']) terminal.stdin.once(event, () => ended.abort())
  terminal.stdin.resume()
  return ended.signal
}

const inTime = async (stopping: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), stopMs)
  })
  try {
    if ((await Promise.race([stopping, late])) === 'late') {
      throw new ExitError(
        exitCodes.failure,
        `Not everything stopped within ${stopMs} ms; the rest ends with the process.`
      )
    }
  } finally {
    clearTimeout(timer)
  }
}
