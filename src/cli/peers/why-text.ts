import type { WhyView } from '../../node/api/control-api.ts'
import { peerText } from '../output/status-text.ts'
import { age, milliseconds, plural, sanitise } from '../output/text.ts'
import { wordText } from './matrix.ts'

type Way = WhyView['addresses'][number]
type Origin = NonNullable<WhyView['record']>

/** Dials of each address that are shown, the newest; `--json` has all that are kept. */
const shown = 3

const ways: ReadonlyMap<string, string> = new Map(
  Object.entries({
    self: 'made by this node',
    session: 'pushed in a session',
    sync: 'pulled',
    gossip: 'heard by gossip',
    dht: 'found in the DHT',
    registry: 'told by the registry at registration'
  })
)

/** Lines of the ways to a member: each address with its dials and what others say of it, the next try, and how its record came. */
export const waysText = ({ addresses, retry, record }: WhyView, now: number): string[] => [
  ...addresses.flatMap((way) => addressLines(way, now)),
  ...(retry === null
    ? []
    : [`  dialled again in ${age(Math.max(0, retry.atMs - now))}, after ${plural(retry.failures, 'failure')}`]),
  ...(record === null ? [] : [`  record ${originText(record)} ${age(Math.max(0, now - record.atMs))} ago`])
]

const addressLines = ({ address, dials, words }: Way, now: number): string[] => {
  const last = dials.slice(-shown).toReversed()
  return [
    `  at ${sanitise(address.replace(/\/p2p\/.*/, ''))}${dials.length + words.length === 0 ? ': not dialled since this process started' : ''}`,
    ...last.map(
      ({ atMs, tookMs, error }) =>
        `     dialled ${age(Math.max(0, now - atMs))} ago: ${error === null ? 'connected' : sanitise(error)} (${milliseconds(tookMs)})`
    ),
    ...words.map((word) => `     ${wordText(word)}`)
  ]
}

const originText = ({ way, from }: Origin): string => {
  const text = ways.get(way) ?? sanitise(way)
  return from === null ? text : `${text} from ${peerText(from)}`
}
