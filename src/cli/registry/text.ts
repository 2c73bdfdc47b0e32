import type { RegistryStatusView } from '../../node/api/control-api.ts'
import { peerText, warningLines } from '../output/status-text.ts'
import {
  age,
  bareAddress,
  bytes,
  date,
  duration,
  orUnknown,
  type Painter,
  plural,
  sanitise,
  unknown
} from '../output/text.ts'

const appendsLine = (view: RegistryStatusView): string =>
  view.appends ? 'yes' : `no${view.appendsMessage === null ? '' : `: ${sanitise(view.appendsMessage)}`}`

const logLine = ({ log }: RegistryStatusView): string => {
  const floor = log.floor > 0 ? `, compacted below ${log.floor}` : ''
  return `${log.head} of epoch ${log.epoch}, ${log.ageMs === null ? 'never checked' : `${age(log.ageMs)} old`}${floor}, head ${log.headHash.slice(0, 16)}`
}

/** Says by how much the log of a registry is behind, with the age of its word. */
const lagText = ({ shown, behind }: RegistryStatusView['registries'][number]): string => {
  if (shown === null) return 'how far its log goes is not known here'
  const ago = `${age(shown.ageMs)} ago`
  if (behind === null) return `was at entry ${shown.head} ${ago}, not known since`
  return behind === 0 ? `log up to date as of ${ago}` : `${plural(behind, 'entry', 'entries')} behind as of ${ago}`
}

const registryLines = (view: RegistryStatusView): string[] =>
  view.registries.map(
    (row) =>
      `${peerText(row)} (${row.role}) ${row.state}${row.connected ? ', connected' : ''}, ${lagText(row)}, ${row.address === null ? unknown : bareAddress(row.address)}`
  )

/** The database that keeps the log: who has the lease and for how long, who waits for it, and by how much this store is behind. */
const rootStoreRows = ({ rootStore }: RegistryStatusView): [string, string][] => {
  if (rootStore === null) return []
  const { store, held, term, holder, behind, lacks, leftMs, candidates, weaknesses, failure, fault } = rootStore
  const rows: [string, string][] = []
  if (term === null || holder === null)
    rows.push([
      'Root log',
      `${sanitise(store)}, ${term === null ? 'which was not reached yet' : 'whose lease nobody has'}`
    ])
  else {
    const who = held ? 'this process' : peerText(holder)
    const lease = leftMs === null ? '' : leftMs === 0 ? ', which has ended' : ` for ${duration(leftMs)} more`
    const lag = `${plural(behind ?? 0, 'entry', 'entries')} behind`
    rows.push(['Root log', `${sanitise(store)}, term ${term} of ${who}${lease}, ${lag}`])
    rows.push(['Candidates', candidates.length === 0 ? 'nobody else' : candidates.map(peerText).join(', ')])
  }
  if (held && (lacks ?? 0) > 0)
    rows.push(['', `it is brought ${plural(lacks ?? 0, 'older entry', 'older entries')} of this store`])
  if (failure !== null) rows.push(['', `the database is not reached: ${sanitise(failure)}`])
  if (fault !== null) rows.push(['', `this process cannot take the place of the root: ${sanitise(fault)}`])
  if (weaknesses.length > 0)
    rows.push(['', `the database may lose what it has answered: ${weaknesses.map(sanitise).join(', ')}`])
  return rows
}

/** `registry status`: named lines, then the warnings. */
export const registryText = (view: RegistryStatusView, paint: Painter): string => {
  const { store } = view
  const backup = store.lastBackupMs === null ? 'no backup yet' : `last backup ${date(store.lastBackupMs)}`
  const rows: [string, string][] = [
    [
      'Registry',
      `${orUnknown(view.self.name)} ${sanitise(view.self.peerId)}, ${view.self.role}, trustnet ${sanitise(view.self.version)}`
    ],
    ['Network', view.network === null ? unknown : `${sanitise(view.network.domain)}, ${view.network.id}`],
    ['Appends', appendsLine(view)],
    ['Log', logLine(view)],
    ['Members', `${plural(view.members, 'member')}, ${view.revoked} revoked, ${plural(view.records, 'record')}`],
    ['Sessions', `${plural(view.sessions, 'lease')} here, ${plural(view.subscribers, 'subscriber')}`],
    ['Admission', `${view.admission}; ${view.pending} pending, ${view.queued} queued for the root`],
    ...rootStoreRows(view),
    ['Store', `${store.path}, ${bytes(store.bytes)}, id ${view.storeId}, ${backup}`]
  ]
  const lines = rows.map(([label, text]) => `${paint('dim', label.padEnd(10))} ${text}`)
  const others = registryLines(view)
  if (others.length > 0) lines.push('', 'Registries of the network', ...others.map((line) => `  ${line}`))
  const warnings = warningLines(view.warnings, paint)
  return [...lines, ...(warnings.length > 0 ? ['', ...warnings] : [])].join('\n')
}
