import { basename } from 'node:path'
import type { ControlApi, MovedRootView, RegistryStatusView } from '../../node/api/control-api.ts'
import type { Loaded } from '../../node/config/index.ts'
import { sleep } from '../../runtime/sleep.ts'
import { loadedConfig } from '../access/config-source.ts'
import { answering, type RunningOptions, runningSocket, withRunning } from '../access/find-running.ts'
import { becomeOwner, ownerOf } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { ExitError, exitCodes, UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { sanitise } from '../output/text.ts'
import { waitOption } from './spread.ts'

type MoveOptions = RunningOptions & { to: string; plan?: boolean; wait: number }

const notes = `
On the machine of the root, whose process runs or is stopped: the database that
keeps the log gives its lease to nobody any more, the other one begins where it
ends, and gets the entries before, each read back and compared. The address is
written into the configuration first. The old side stays as it is: the way back
is the same command with its address. Then the same on each candidate. Without
--yes the plan is shown. docs/operations.md, "Move the log".
`

/** Longer than a process takes to begin anew. */
const moveMs = 60_000
/** Until a process that begins anew answers again. */
const answerMs = 15_000
const lookMs = 500

/** Adds `registry move-root`. */
export const addMoveRoot: AddCommand = (registry, context) => {
  withRunning(registry.command('move-root'))
    .description('have another database keep the log of the root, or its own store')
    .requiredOption('--to <address>', 'postgres://…, etcd+https://… or sqlite')
    .addOption(waitOption('wait so long until all of it is there'))
    .option('--plan', 'show what would be done; the same as without --yes')
    .option('--yes', 'do it')
    .addHelpText('after', notes + exampleOf('trustnet registry move-root --to postgres://trustnet@db/trustnet --yes'))
    .action((options: MoveOptions) => moveRoot(context, options))
}

const moveRoot = async (context: Context, options: MoveOptions): Promise<void> => {
  const { terminal, signal } = context
  const { to } = options
  const { rootStoreProblem } = await import('../../node/config/index.ts')
  const problem = rootStoreProblem(to)
  if (problem !== undefined) throw new UsageError(`--to ${problem}.`)
  const api = await answering(context, options)
  const loaded = await configOf(context, options, api)
  const applies = options.yes === true && options.plan !== true
  const write = applies ? await writerOf(loaded) : undefined
  becomeOwner(ownerOf(loaded))
  const run = api === undefined ? await stopped(loaded, to, signal) : running(api, to)
  const plan = await run(false)
  if (write === undefined) return options.json === true ? terminal.json(plan) : showPlan(context, plan)
  const view = await changed(write, plan, { run, stays: async () => await staysAway(context, api, to) })
  if (options.json !== true) showMoved(context, view)
  const seen = api === undefined ? undefined : await followed(context, api, view, options.wait)
  if (options.json === true) return terminal.json(view)
  showNext(context, view, seen, api !== undefined)
}

type Run = (apply: boolean) => Promise<MovedRootView>

interface Change {
  readonly run: Run
  /** After a failure: the log is not there. */
  readonly stays: () => Promise<boolean>
}

const running =
  (api: ControlApi, to: string): Run =>
  async (apply) =>
    await api.moveRoot({ to, plan: !apply }, { signal: AbortSignal.timeout(moveMs) })

const stopped = async ({ config }: Loaded, to: string, signal: AbortSignal): Promise<Run> => {
  const { moveStoppedRoot } = await import('../../node/offline/move-root.ts')
  return async (apply) => await moveStoppedRoot(config, { to, apply, signal })
}

/** Configuration of the process that answers, or of the one that would start. */
const configOf = async (context: Context, options: MoveOptions, api: ControlApi | undefined): Promise<Loaded> => {
  const { config, node } = options
  if (config !== undefined) return await loadedConfig(context, { config })
  const name = api === undefined ? node : basename(await runningSocket(context, options), '.sock')
  return await loadedConfig(context, name === undefined ? {} : { name })
}

interface Writer {
  /** Once. */
  readonly write: (values: Readonly<Record<string, unknown>>) => void
  /** Writes what was there before. */
  readonly putBack: () => void
}

/** Before root is given up: the file may be root's alone. @throws UsageError */
const writerOf = async ({ file, config }: Loaded): Promise<Writer> => {
  const { configWriter } = await import('../../node/config/save.ts')
  const [write, again] = file === undefined ? [] : [configWriter(file), configWriter(file)]
  if (write === undefined || again === undefined)
    throw new UsageError('There is no configuration file to write root.store into: name it with --config.')
  const before = { 'root.store': config.root.store, role: config.role }
  return { write, putBack: () => again(before) }
}

/** The configuration goes first: broken off from here on, the next start goes on with the move. A move that is refused takes it back. */
const changed = async (
  { write, putBack }: Writer,
  { to, isRoot }: MovedRootView,
  { run, stays }: Change
): Promise<MovedRootView> => {
  // Without a database nothing but the role says whose log counts.
  write({ 'root.store': to, ...(to === 'sqlite' && { role: isRoot ? 'root' : 'secondary' }) })
  try {
    return await run(true)
  } catch (error) {
    if (await stays()) putBack()
    throw error
  }
}

/** False, too, for a process that gives no answer: its next start goes by the configuration, and on with the move. */
const staysAway = async ({ signal }: Context, api: ControlApi | undefined, to: string): Promise<boolean> => {
  if (api === undefined) return true
  const view = await untilSeen(api, () => true, { signal, waitMs: answerMs })
  return view !== undefined && storeOf(view) !== to
}

const storeOf = ({ rootStore }: RegistryStatusView): string => rootStore?.store ?? 'sqlite'

/** Waits until all of the log is there. undefined: it took longer. */
const followed = async (
  { signal }: Context,
  api: ControlApi,
  { to, isRoot }: MovedRootView,
  waitMs: number
): Promise<RegistryStatusView | undefined> => {
  return await untilSeen(api, (view) => isThere(view, to, isRoot), { signal, waitMs })
}

const untilSeen = async (
  api: ControlApi,
  wanted: (view: RegistryStatusView) => boolean,
  { signal, waitMs }: { signal: AbortSignal; waitMs: number }
): Promise<RegistryStatusView | undefined> => {
  const until = performance.now() + waitMs
  do {
    // The process may be beginning anew.
    const view = await api.registryStatus({}, { signal }).catch(() => undefined)
    if (view !== undefined && wanted(view)) return view
    await sleep(lookMs, signal).catch(() => {})
  } while (performance.now() < until && !signal.aborted)
  return undefined
}

const isThere = ({ appends, rootStore }: RegistryStatusView, to: string, isRoot: boolean): boolean => {
  if (to === 'sqlite') return rootStore === null && appends === isRoot
  if (rootStore?.store !== to || rootStore.term === null || rootStore.failure !== null) return false
  return !isRoot || (appends && rootStore.held && rootStore.lacks === 0)
}

const showPlan = ({ terminal }: Context, { from, to, isRoot, there, epoch, head }: MovedRootView): void => {
  terminal.print(`Log         entry ${head} of epoch ${epoch}, kept by ${sanitise(from)}`)
  terminal.print(`Goes to     ${sanitise(to)}${thereText(there)}`)
  if (!isRoot) terminal.print('This        is a candidate: it goes after the log; move that at the root first')
  terminal.print('Nothing was changed. To do it, add --yes.')
}

const thereText = (there: MovedRootView['there']): string => {
  if (there === null) return ''
  const { epoch, head, isMoved, holder } = there
  const what = isMoved
    ? `which went ${sanitise(holder).replace(/^moved /, '')}`
    : `of which ${sanitise(holder)} has the lease`
  return `, which has the log up to entry ${head} of epoch ${epoch}, ${what}`
}

const showMoved = ({ terminal }: Context, { from, to, isRoot }: MovedRootView): void =>
  terminal.progress(
    isRoot
      ? `The log has moved from ${sanitise(from)} to ${sanitise(to)}.`
      : `This candidate goes after the log to ${sanitise(to)}.`
  )

const showNext = (
  { terminal }: Context,
  { to, from, isRoot, head, epoch }: MovedRootView,
  seen: RegistryStatusView | undefined,
  runs: boolean
): void => {
  terminal.print(`Log         entry ${seen?.log.head ?? head} of epoch ${epoch}, kept by ${sanitise(to)}`)
  if (runs && seen === undefined)
    throw new ExitError(exitCodes.timeout, 'Not all of it is there yet: trustnet registry status says how far it is.')
  if (!isRoot) return
  if (to !== 'sqlite' && runs) terminal.print('Entries     all that it keeps are there, each read back and compared')
  if (from !== to)
    terminal.print(`Before      ${sanitise(from)} stays as it is: the same command with --to and that leads back`)
  terminal.print('Candidates  the same command on each of them; one that is forgotten takes no place, and says so')
  if (!runs) terminal.print('Start it:   trustnet registry start, or systemctl start trustnet-NAME')
}
