import type { ControlApi, MatrixView } from '../../node/api/control-api.ts'
import type { RunningOptions } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { peerText } from '../output/status-text.ts'
import { age, bareAddress, type Painter, plural, sanitise, unknown } from '../output/text.ts'

type Pair = MatrixView['pairs'][number]
type Word = MatrixView['members'][number]['addresses'][number]['words'][number]
type Ref = Pair['from']

const legend =
  '+ reaches it   ! does not, though it is reached from there   x does not   ~ connected, who dialled is not known   - not known'
const failures: ReadonlyMap<string, string> = new Map([
  ['refused', 'refused, nobody listens there'],
  ['noAnswer', 'no answer in time'],
  ['noRoute', 'no way there'],
  ['otherKey', 'whoever answers there did not prove its key']
])
/** Lines of addresses that are not reached. */
const mostLines = 20
const nameWidth = 12

/** `peers --matrix`: who reaches whom, each cell the word of whoever dialled. */
export const showMatrix = async (
  { terminal, signal }: Context,
  client: ControlApi,
  options: RunningOptions
): Promise<void> => {
  const view = await client.matrix({}, { signal })
  if (options.json === true) terminal.json(view)
  else terminal.print(matrixText(view, terminal.paint))
}

export const matrixText = (view: MatrixView, paint: Painter): string => {
  const { members, total, pairs } = view
  const part =
    members.length < total ? `${plural(members.length, 'member')} of ${total}, the worst` : plural(total, 'member')
  const oneWay = pairs.filter((pair) => pair.oneWay && pair.reaches === false)
  const sections = [
    paint('bold', `Who reaches whom, as each of them says: ${part}`),
    members.length === 0 ? 'No member says that it does not reach another one.' : grid(view, paint),
    oneWay.map((pair) => paint('bad', `One way: ${oneWayText(pair)}`)).join('\n'),
    notReached(view).join('\n'),
    sourcesText(view)
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

const grid = ({ members, pairs }: MatrixView, paint: Painter): string => {
  const byEnds = new Map(pairs.map((pair) => [`${pair.from.peerId} ${pair.to.peerId}`, pair]))
  const digits = String(members.length).length
  const label = ' '.repeat(digits + 1 + nameWidth)
  // Numbers stand upright: thirty columns fit into a terminal.
  const head = Array.from({ length: digits }, (_, line) =>
    [label, ...members.map((_member, at) => String(at + 1).padStart(digits)[line])].join(' ')
  )
  const rows = members.map((from, at) => {
    const name = nameOf(from).slice(0, nameWidth).padEnd(nameWidth)
    const cells = members.map((to) =>
      from.peerId === to.peerId ? ' ' : painted(cell(byEnds.get(`${from.peerId} ${to.peerId}`)), paint)
    )
    return `${String(at + 1).padStart(digits)} ${name} ${cells.join(' ')}`.trimEnd()
  })
  return [...head, ...rows, '', ...legend.split('   ').reduce(inLines, [])].join('\n')
}

const inLines = (lines: string[], part: string): string[] => {
  const last = lines.at(-1)
  if (last === undefined || last.length + part.length > 75) return [...lines, part]
  return [...lines.slice(0, -1), `${last}   ${part}`]
}

const cell = (pair: Pair | undefined): string => {
  if (pair === undefined) return unknown
  if (pair.reaches === null) return '~'
  if (pair.reaches) return '+'
  return pair.oneWay ? '!' : 'x'
}

const painted = (text: string, paint: Painter): string => {
  if (text === '+') return paint('good', text)
  return text === 'x' || text === '!' ? paint('bad', text) : text
}

const nameOf = ({ name, peerId }: Ref): string => (name === null ? peerText({ name, peerId }) : sanitise(name))

const oneWayText = ({ from, to, failure, ageMs }: Pair): string =>
  `${nameOf(to)} reaches ${nameOf(from)}, not the other way round\n` +
  `  ${nameOf(from)} says of ${nameOf(to)}: ${failureText(failure)} (${age(ageMs)} ago)`

const failureText = (failure: string | null): string =>
  failure === null ? 'reached' : (failures.get(failure) ?? 'not reached')

/** `node-3 says: refused, nobody listens there (3m ago)` */
export const wordText = ({ prober, failure, ageMs }: Word): string =>
  `${nameOf(prober)} says: ${failureText(failure)} (${age(ageMs)} ago)`

const notReached = ({ members }: MatrixView): string[] => {
  const lines = members.flatMap((member) =>
    member.addresses.flatMap(({ address, words }) => {
      const failed = words.filter(({ failure }) => failure !== null)
      if (failed.length === 0) return []
      const got = words.length - failed.length
      const head = `${nameOf(member)} at ${bareAddress(address)}: reached by ${got} of ${words.length}`
      return [[head, ...failed.map((word) => `  ${wordText(word)}`)].join('\n')]
    })
  )
  const rest = lines.length - mostLines
  return rest > 0
    ? [...lines.slice(0, mostLines), `and ${plural(rest, 'more address', 'more addresses')}: --json has all`]
    : lines
}

const sourcesText = ({ sources }: MatrixView): string => {
  if (sources.length === 0) return 'No registry is connected that could tell what members say.'
  return sources
    .flatMap(({ registry, left, error }) => {
      if (error !== null) return [`${nameOf(registry)} did not tell what members say: ${sanitise(error)}`]
      return left === 0 ? [] : [`${nameOf(registry)} knows of ${plural(left, 'more member')}`]
    })
    .join('\n')
}
