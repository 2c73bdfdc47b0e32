import type { RegistryStatusView } from '../../api/control-api.ts'
import type { PeerRow } from '../../api/views.ts'

/** `12 s`, `3 min`, `5 h`, `8 d`: of a span of time, its largest unit. */
export const spanText = (ms: number | null): string => {
  if (ms === null) return ''
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** A round trip, given in µs. */
export const rttText = (us: number | null): string => {
  if (us === null) return ''
  const ms = us / 1000
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

/** Says by how much the log of a registry is behind, with the age of its word. */
export const lagText = ({
  shown,
  behind
}: Pick<RegistryStatusView['registries'][number], 'shown' | 'behind'>): string => {
  if (shown === null) return 'not known here'
  const ago = `${spanText(shown.ageMs)} ago`
  if (behind === null) return `not known: at entry ${shown.head} ${ago}`
  return behind === 0 ? `up to date ${ago}` : `${behind} behind ${ago}`
}

/** Local time to the second; with its date when it is not today's. */
export const timeText = (ms: number | null, now: number = Date.now()): string => {
  if (ms === null) return ''
  const time = new Date(ms)
  const clock = time.toLocaleTimeString(undefined, { hour12: false })
  return time.toDateString() === new Date(now).toDateString() ? clock : `${time.toLocaleDateString()} ${clock}`
}

/** The name in the log, else the end of the PeerId. */
export const nameOf = (peer: { peerId: string; name: string | null }): string =>
  peer.name ?? `…${peer.peerId.slice(-8)}`

/** Text by which a search finds a member, in lower case. */
export const searchTextOf = (peer: PeerRow): string =>
  [
    nameOf(peer),
    peer.peerId,
    peer.role,
    peer.state,
    peer.maintenance === null ? '' : 'maintenance',
    ...peer.addresses,
    ...peer.services.map(({ name }) => name)
  ]
    .join(' ')
    .toLowerCase()

/** True when all words of a search are in the text. */
export const isFound = (text: string, search: string): boolean =>
  search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
