import type { Verified } from '../../install/apply/verify.ts'
import type { Answers } from '../../install/model/answers.ts'
import type { Install, NextCommand } from '../../install/model/deployment.ts'
import { httpListen, httpTokenFile } from '../../install/model/http.ts'
import { bareAddress, type Painter, plural, sanitise } from '../output/text.ts'

/** Frame, and a space on both sides. */
const edges = 4
/** Least width at which a value stays readable; a terminal that is narrower breaks the lines itself. */
const leastValue = 16

/** At spaces where there are some, and anywhere else in what is longer than a line. */
const wrapped = (text: string, width: number): string[] => {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const at = space > 0 ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(space > 0 ? at + 1 : at)
  }
  return [...lines, rest]
}

/** A frame around lines, as wide as the longest that fits into `columns`. */
export const box = (
  title: string,
  rows: readonly (readonly [string, string])[],
  paint: Painter,
  columns = 120
): string[] => {
  const column = Math.max(...rows.map(([name]) => name.length)) + 2
  const most = Math.max(leastValue, columns - edges - column)
  const lines = rows.flatMap(([name, value]) =>
    wrapped(value, most).map((part, at) => `${(at === 0 ? name : '').padEnd(column)}${part}`)
  )
  const width = Math.max(title.length, ...lines.map((line) => line.length))
  const edge = '─'.repeat(width + 2)
  return [
    `┌${edge}┐`,
    `│ ${paint('bold', title)}${' '.repeat(width - title.length)} │`,
    `├${edge}┤`,
    ...lines.map((line) => `│ ${line.padEnd(width)} │`),
    `└${edge}┘`
  ]
}

/** Address of the HTTP API, and where its token is; undefined: there is none. */
export const httpRow = (answers: Answers): string | undefined => {
  const [listen, token] = [httpListen(answers), httpTokenFile(answers)]
  return token === undefined ? listen : `${listen}, token in ${token}`
}

/** Rows that say what is there now, in a few words each. */
export const cardRows = ({ answers }: Install, verified: Verified | null): (readonly [string, string])[] => {
  const http = httpRow(answers)
  const httpRows = http === undefined ? [] : [['HTTP', http] as const]
  if (verified === null) {
    return [
      ['Name', answers.name],
      ['Role', answers.role],
      ['Status', 'not started: its files are written'],
      ['Domain', answers.domain],
      ...httpRows,
      ['Deployment', answers.deployment]
    ]
  }
  const { status, peers } = verified
  const { registry, sync, membership, word } = status
  const lease = registry.lease
  const holder = answers.role === 'root' ? 'this one' : lease === null ? 'none yet' : (lease.name ?? lease.peerId)
  return [
    ['Name', answers.name],
    ['Role', answers.role],
    ['Status', `${word} (${membership.state})`],
    ['PeerId', status.self.peerId],
    ['Registry', sanitise(holder)],
    ['Domain', answers.domain],
    ...httpRows,
    ['IPv6', status.announced.map(bareAddress).join(', ') || '-'],
    ['Peers', plural(peers, 'member')],
    ['Sync', sync.head === null ? 'not yet' : `log entry ${sync.head}`]
  ]
}

/** The same as data. */
export const cardJson = ({ answers }: Install, verified: Verified | null) => ({
  name: answers.name,
  role: answers.role,
  status: verified?.status.word ?? 'not started',
  membership: verified?.status.membership.state ?? null,
  peerId: verified?.status.self.peerId ?? null,
  /** PeerId of the one that holds the lease. */
  registry: verified?.status.registry.lease?.peerId ?? null,
  domain: answers.domain,
  addresses: verified?.status.announced ?? [],
  members: verified?.peers ?? null,
  head: verified?.status.sync.head ?? null
})

export const nextCommands = ({ answers }: Install, own: readonly NextCommand[]): NextCommand[] => {
  const node = ` --node ${answers.name}`
  const shared: NextCommand[] = [
    { what: 'Who is there', command: `trustnet peers${node}` },
    { what: 'How it is', command: `trustnet status${node}` },
    { what: 'Check it', command: `trustnet doctor${node}` }
  ]
  const root: NextCommand[] = [
    { what: 'Add a machine', command: `trustnet invite${node}` },
    { what: 'Add a registry', command: `trustnet invite${node} --role secondary` }
  ]
  return [
    ...(answers.role === 'root' ? root : []),
    ...shared,
    ...own,
    { what: 'Remove it', command: `trustnet uninstall${node}` }
  ]
}

export const commandLines = (commands: readonly NextCommand[]): string[] => {
  const column = Math.max(...commands.map(({ what }) => what.length)) + 2
  return commands.map(({ what, command }) => `  ${what.padEnd(column)}${command}`)
}
