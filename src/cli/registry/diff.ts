import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Option } from 'commander'
import type { DiffView } from '../../node/offline/stopped-store.ts'
import { type RunningOptions, running, withRunning } from '../access/find-running.ts'
import { ownStore } from '../access/local-store.ts'
import { asOwner, ownerOfNode } from '../access/run-as-owner.ts'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes, UsageError } from '../output/exit.ts'
import { exampleOf } from '../output/help.ts'
import { sanitise, shortPeerId, unknown } from '../output/text.ts'
import { showLogDiff } from './past.ts'

/** `v120`: a place in the log. A file of that name is `./v120`. */
const placePattern = /^v\d+$/

type DiffOptions = RunningOptions & { with?: string }

const replaced = (name: string): string =>
  `\`registry diff --with\` is gone: what that member shows and this node does not, \`trustnet peers --compare ${sanitise(name)},self\` says.`

const notes = `
Two places in the log, v120 v131 or times (2d, 2026-11-30): what changed in the
network between them; with one, v120, until now.
FILE is a backup, also one of another registry. Of a process that runs here a
copy is made first. A record that a node renews meanwhile counts as a
difference. Exits with 5 when they differ.
${exampleOf('trustnet registry diff v120 v131', 'trustnet registry diff /mnt/safe/registry.db')}`

export const addRegistryDiff: AddCommand = (registry, context) => {
  withRunning(registry.command('diff [file-or-from] [to]'))
    .description('compare two places of the log, or all with a backup')
    .addOption(new Option('--with <peer>', 'replaced by `peers --compare`').hideHelp())
    .addHelpText('after', notes)
    .action((file: string | undefined, to: string | undefined, options: DiffOptions) =>
      diff(context, [file, to], options)
    )
}

const diff = async (
  context: Context,
  [given, to]: readonly [string | undefined, string | undefined],
  options: DiffOptions
): Promise<void> => {
  if (options.with !== undefined) throw new UsageError(replaced(options.with))
  if (given === undefined) throw new UsageError('Compare with a FILE, or name two places in the log: v120 v131.')
  if (to !== undefined || placePattern.test(given))
    return await showLogDiff(context, await running(context, options), [given, to], options)
  const { owner, found } = await ownerOfNode(context, options)
  await asOwner(owner, { files: [resolve(given)] }, ([file]) => compare(context, file ?? given, found))
}

const compare = async (context: Context, file: string, options: DiffOptions): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'trustnet-diff-'))
  try {
    const own = await ownStore(context, options, join(folder, 'registry.db'))
    const { diffStoresAt } = await import('../../node/offline/stopped-store.ts')
    const view = diffStoresAt(own, file)
    if (options.json === true) context.terminal.json(view)
    else show(context, view)
    if (!view.same) context.exit(exitCodes.degraded)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const show = ({ terminal }: Context, view: DiffView): void => {
  const { head, otherHead, entries, records, differsFrom } = view
  terminal.print(view.same ? terminal.paint('good', 'Same') : terminal.paint('warn', 'They differ'))
  terminal.print(`Log here     entry ${head.n} of epoch ${head.epoch}, ${entries.onlyHere} that are not there`)
  terminal.print(
    `Log there    entry ${otherHead.n} of epoch ${otherHead.epoch}, ${entries.onlyThere} that are not here`
  )
  if (differsFrom !== null) terminal.print(`Histories    differ from entry ${differsFrom} on`)
  const digests = [view.digest, view.otherDigest].map((digest) => digest.slice(0, 16))
  terminal.print(`Digests      ${digests.join(' here, ')} there`)
  terminal.print(`Records      newer here ${records.newerHere}, newer there ${records.newerThere}`)
  terminal.print(`             only here ${records.onlyHere}, only there ${records.onlyThere}`)
  for (const { peerId, here, there } of view.differing) {
    terminal.print(`  ${shortPeerId(sanitise(peerId))}  seq ${here ?? unknown} here, ${there ?? unknown} there`)
  }
}
