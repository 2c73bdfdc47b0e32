import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Loaded } from '../../node/config/index.ts'
import type { Config } from '../../node/config/schema.ts'
import type { Node } from '../../node/node-interface.ts'
import { ServiceNotify } from '../../node/service-notify.ts'
import { startTracing } from '../../node/tracing/load.ts'
import { aborted, either } from '../../runtime/abort.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { Throttle } from '../../runtime/throttle.ts'
import { boundYoungGeneration } from '../../runtime/young-generation.ts'
import { becomeOwner, ownerOf } from '../access/run-as-owner.ts'
import { Faults } from '../faults.ts'
import type { Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { IdleGc } from './idle-gc.ts'

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
  const stop = options.stopWithStdin === true ? either(context.signal, stdinEnd(context)) : context.signal
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
  refuseNewHostName(loaded)
  const logging = createLogging({ node: config.name, ...config.logging, output: context.terminal.stdout })
  using faults = new Faults(logging.logger)
  const { name } = config
  const tracing = await startTracing({ name, logger: logging.logger, env: context.terminal.env })
  const reload = (): Config => loaded.again().config
  const node = await createNode({ config, configFile: saveTo, invite: options.invite, logging, reload })
  reloadOnHangup(context, node, logging.logger)
  const stopped = aborted(stop)
  using _ = new IdleGc().start()
  boundYoungGeneration()
  try {
    const started = node.start()
    // The signal may come first; what the start then says is no news.
    started.catch(() => undefined)
    await Promise.race([started, stopped, faults.fatal])
    if (!stop.aborted) await keepName(loaded, logging.logger)
    notify.ready(`${loaded.config.role} ${loaded.config.name}`)
    await Promise.race([stopped, node.failed, node.stopped, faults.fatal])
  } finally {
    notify.stopping()
    await inTime(node.stop(stop.aborted ? 'stopped by the operator' : 'failed'), node.stopSteps)
    await tracing?.stop()
  }
}

const hangupPauseMs = 1_000

/** Reads the configuration anew for SIGHUP, however many come. */
const reloadOnHangup = (context: Context, { control }: Node, logger: Logger): void => {
  const refused = (error: unknown): void =>
    logger.error({ error: reasonOf(error) }, 'the reload failed: mend what the error names, then reload again')
  const throttle = new Throttle(() => {
    control.reload().catch(refused)
  }, hangupPauseMs)
  context.onHangup(() => throttle.ask())
}

/** Refuses a start under a new host name where the name could not be written down: the data folder of the earlier one is there. */
const refuseNewHostName = ({ config: { name, paths }, sources }: Loaded): void => {
  if (sources['name'] !== 'default' || sources['paths.data'] !== 'default' || existsSync(paths.data)) return
  const [other, ...more] = nodesIn(dirname(paths.data))
  if (other === undefined) return
  const nodes = more.length === 0 ? `node ${other}` : `nodes ${[other, ...more].join(', ')}`
  throw new UsageError(
    `This machine has the ${nodes} (in ${dirname(paths.data)}), and its host name says ${name}: start it with --name ${other}, ` +
      `or write \`name: ${other}\` into its configuration; another node is started with --name ${name}.`
  )
}

const nodesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'node.key'))) : []

/** Folders, socket and key are found by the name, and a host may be given another one: what it is called is written down. */
const keepName = async ({ config, saveTo }: Loaded, logger: Logger): Promise<void> => {
  const { saveMissing } = await import('../../node/config/index.ts')
  try {
    saveMissing(saveTo, 'name', config.name)
  } catch (error) {
    const next = `write \`name: ${config.name}\` into ${saveTo}, or a new host name makes another node of this machine`
    logger.warn({ error: reasonOf(error) }, `the name of this node could not be written down: ${next}`)
  }
}

const stdinEnd = ({ terminal }: Context): AbortSignal => {
  const ended = new AbortController()
  for (const event of ['end', 'close', 'error']) terminal.stdin.once(event, () => ended.abort())
  terminal.stdin.resume()
  return ended.signal
}

/** @throws ExitError with what hangs, or fails */
const inTime = async (stopping: Promise<void>, steps: { readonly at: string }): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), stopMs)
  })
  try {
    if ((await Promise.race([stopping, late])) === 'late') {
      const what = `It did not stop within ${stopMs / 1000} s: ${steps.at} hangs, and ends with the process.`
      throw new ExitError(exitCodes.failure, `${what} Nothing that is in the database is lost.`)
    }
  } catch (error) {
    if (error instanceof ExitError) throw error
    throw new ExitError(exitCodes.failure, `It did not stop in order: ${steps.at} failed: ${reasonOf(error)}`)
  } finally {
    clearTimeout(timer)
  }
}
