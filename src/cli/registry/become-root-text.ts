import { digLine } from '../../dns/records.ts'
import type { BecomeRootView } from '../../node/offline/become-root-view.ts'
import type { Context } from '../output/context.ts'
import { date, orUnknown, plural, sanitise } from '../output/text.ts'

/** Line on what a member that was asked has shown. */
export const sourceLine = (source: BecomeRootView['sources'][number]): string => {
  const who = sanitise(source.name ?? source.peerId ?? source.address)
  const what = source.head === null ? '' : `entry ${source.head.n} of epoch ${source.head.epoch}`
  const problem = source.error === null ? '' : `${what === '' ? '' : '; '}${sanitise(source.error)}`
  return `Asked       ${who}: ${what}${problem}`
}

const entryLine = (title: string, { n, kind, name, peerId, timeMs }: BecomeRootView['newest'][number]): string =>
  `${title.padEnd(11)} ${n}  ${date(timeMs)}  ${sanitise(kind)} ${sanitise(name ?? peerId ?? '')}`.trimEnd()

/** Line on what was ended by a void entry: one that could not be ended again is in force. */
const endedLine = ({ kind, id, name, refused }: BecomeRootView['again'][number]): string => {
  const what = `${kind} ${sanitise(name ?? id)}`
  if (refused === null) return `Ended again ${what}`
  const command =
    kind === 'invite' ? `trustnet invite cancel ${id}` : `trustnet operator remove ${sanitise(name ?? id)}`
  return `In force    ${what}, ended by a void entry: ${sanitise(refused)}; \`${command}\` ends it`
}

/** Prints what was done, or would be. */
export const showBecomeRoot = (
  { terminal }: Context,
  view: BecomeRootView,
  { saveTo, domain }: { saveTo: string; domain: string }
): void => {
  const { fork, head, former, revoked, dns } = view
  for (const source of view.sources) terminal.print(sourceLine(source))
  for (const row of view.newest) terminal.print(entryLine('Counts', row))
  terminal.print(`From        entry ${fork.n} of epoch ${fork.epoch}: what anybody holds above it becomes void`)
  for (const row of view.voided) terminal.print(entryLine('Void', row))
  for (const row of view.again) terminal.print(endedLine(row))
  terminal.print(`New epoch   ${view.epoch}, with a new log key`)
  for (const { name } of former) {
    const isRevoked = revoked.some((each) => each.name === name)
    terminal.print(
      `Former root ${sanitise(name)}: ${isRevoked ? 'its key is shut out for ever' : 'comes back as a secondary'}`
    )
  }
  if (view.admitted !== null) terminal.print(`Admitted    this machine, as ${orUnknown(view.admitted)}`)
  if (view.reissued > 0) terminal.print(`Revokes     ${view.reissued} are entered again`)
  if (view.queued > 0) terminal.print(`Queue       ${plural(view.queued, 'request')}, decided after the start`)
  terminal.print('')
  terminal.print('DNS')
  for (const line of dns.add) terminal.print(`  add     ${line}`)
  for (const line of dns.remove) terminal.print(`  remove  ${line}`)
  if (domain !== '') terminal.print(`  ${digLine(domain)}`)
  terminal.print('')
  if (view.applied) {
    terminal.print(`${terminal.paint('good', 'Done')}: the log ends at entry ${head.n}. Start it:`)
    terminal.print(`  trustnet registry start --config ${saveTo}`)
  } else {
    terminal.print('Nothing was changed. To do it, stop the process and add --yes.')
    terminal.print('When somebody else has signed among the newest entries: --from N, the last one that is right.')
  }
}
