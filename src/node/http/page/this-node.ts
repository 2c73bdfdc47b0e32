import type { StatusView, Survival } from '../../api/views.ts'
import { byId, facts, make, numberCell, row, say } from './dom.ts'
import { nameOf, spanText, timeText } from './words.ts'

const survivalText = (without: string, { survives, needs }: Survival): string =>
  `${without}: ${survives ? 'goes on' : `stops${needs === null ? '' : `, needs ${needs}`}`}`

const warningsOf = (view: StatusView): Node[] => {
  if (view.warnings.length === 0) return [make('li', 'ok', 'None.')]
  return view.warnings.map(({ level, code, message, fix, acknowledged }) =>
    make(
      'li',
      '',
      make('strong', level, `${level} ${code}${acknowledged ? ' (acknowledged)' : ''}: `),
      message,
      ...(fix === null ? [] : [' ', make('code', '', fix)])
    )
  )
}

const showHeading = (view: StatusView): void => {
  const title = view.network?.name ?? 'no network yet'
  document.title = `${title} · TrustNet`
  say(byId('network'), title)
  say(byId('summary'), `${view.word}: ${view.summary}`)
  byId('summary').className = view.word === 'healthy' ? 'ok' : 'warning'
  say(byId('origin'), `as ${nameOf(view.self)} sees it, ${view.self.role}, ${view.phase.name}`)
}

const showWarnings = (view: StatusView): void => {
  const alarms = view.warnings.filter(({ level, acknowledged }) => level === 'alarm' && !acknowledged)
  byId('alarms').hidden = alarms.length === 0
  const shown = make('div', '')
  shown.append(
    ...alarms.map(({ message, fix }) =>
      make('p', '', make('strong', 'alarm', 'Alarm: '), message, ...(fix === null ? [] : [' ', make('code', '', fix)]))
    )
  )
  // An alarm that stands is read out once.
  if (shown.textContent !== byId('alarms').textContent) byId('alarms').replaceChildren(...shown.childNodes)
  byId('warnings').replaceChildren(...warningsOf(view))
}

const showParts = ({ parts }: StatusView): void =>
  byId('parts').replaceChildren(
    ...parts.map(({ name, state, sinceMs, errors, lastError }) =>
      row(name, make('td', `state ${state}`, state), timeText(sinceMs), numberCell(String(errors)), lastError ?? '')
    )
  )

const until = (ms: number | null): string => (ms === null ? '' : ` until ${timeText(ms)}`)

const factsOf = ({ self, membership, registry, sync, dns, connections, ...view }: StatusView): Node[] =>
  facts([
    ['PeerId', self.peerId],
    ['Version', self.version],
    ['Started', timeText(self.startedMs)],
    ['Membership', membership.state + until(membership.expiresMs)],
    ['Lease at', registry.lease === null ? registry.message : nameOf(registry.lease)],
    ['Log', sync.head === null ? null : `entry ${sync.head}, epoch ${sync.epoch}, heard ${spanText(sync.ageMs)} ago`],
    ['DNS', `${dns.name}: ${dns.state}`],
    ['Connections', `${connections.members} members, ${connections.strangers} strangers`],
    ['Reach', view.reach],
    ['Listens on', view.listen.join(', ')],
    ['Announces', view.announced.join(', ')],
    ['Fingerprint', view.network?.fingerprint ?? null]
  ])

/** Shows the status of the process that serves this page: heading, alarms, resilience, parts and facts. */
export const showStatus = (view: StatusView): void => {
  const { root, dns, both } = view.resilience
  showHeading(view)
  showWarnings(view)
  byId('resilience').textContent = [
    survivalText('Without the root', root),
    survivalText('without DNS', dns),
    survivalText('without both', both)
  ].join('; ')
  showParts(view)
  byId('facts').replaceChildren(...factsOf(view))
}
