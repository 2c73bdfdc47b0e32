import { styleText } from 'node:util'
import { escapedJson, unsafe } from '../../runtime/unsafe-text.ts'

/** Matches what `painter` writes, and what lines and columns are made of; else what is unsafe. */
const keptOrUnsafe = new RegExp(String.raw`(\u001b\[(?:1|2|22|31|32|33|39)m|[\n\t])|${unsafe.source}`, 'gu')

/** A whole text, fit to be printed whatever is in it: of what a terminal obeys lines, tabs and our colours stay. */
export const printable = (text: string): string =>
  text.replace(keptOrUnsafe, (_found, kept: string | undefined) => kept ?? '\uFFFD')

/** The longest string of a peer that is shown: a log line's worth. */
const maxShown = 200
const maxErrorShown = 4_000

/** A string that came from another machine, fit to be printed: no character that a terminal obeys, at most 200 of them. */
export const sanitise = (text: string): string => shown(text, maxShown)

/** An error says at its end what to do: both ends are shown, however much a path or another machine put into its middle. */
export const sanitiseError = (text: string): string => {
  const clean = sanitiseWhole(text)
  const half = maxErrorShown / 2
  return clean.length > maxErrorShown ? `${clean.slice(0, half)}…${clean.slice(1 - half)}` : clean
}

/** Text that a person agrees to: nothing of it is left out. */
export const sanitiseWhole = (text: string): string => text.replace(unsafe, '\uFFFD')

const shown = (text: string, most: number): string => {
  const clean = sanitiseWhole(text)
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean
}

/** The same string as JSON, with every character escaped that a terminal might obey. */
export const safeJson = (value: unknown, indent?: number): string =>
  escapedJson(JSON.stringify(value, undefined, indent))

/** Shown for everything that is not known. */
export const unknown = '-'

export const orUnknown = (text: string | null | undefined): string =>
  text === null || text === undefined || text === '' ? unknown : sanitise(text)

/** Every Ed25519 PeerId starts alike, so its end is shown; commands take the end as a name for the peer. */
export const shortPeerId = (peerId: string): string => (peerId.length > 12 ? `…${peerId.slice(-8)}` : peerId)

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000]
] as const

/** 850 ms, 4.2s, 45s, 3m12s, 2h5m, 9d4h: the two largest units; `-` for null. */
export const duration = (ms: number | null): string => {
  if (ms === null) return unknown
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toString()}s`
  const at = units.findIndex(([, size]) => ms >= size)
  const [name, size] = units[at] ?? units[3]
  const next = units[at + 1]
  const whole = `${Math.floor(ms / size)}${name}`
  const rest = next === undefined ? 0 : Math.floor((ms % size) / next[1])
  return next === undefined || rest === 0 ? whole : `${whole}${rest}${next[0]}`
}

/** Ages in lists: seconds are enough. */
export const age = (ms: number | null): string => {
  if (ms === null) return unknown
  return ms < 1000 ? '0s' : duration(Math.floor(ms / 1000) * 1000)
}

export const milliseconds = (ms: number | null): string => {
  if (ms === null) return unknown
  if (ms < 0.05) return '<0.1ms'
  return ms < 10 ? `${Math.round(ms * 10) / 10}ms` : `${Math.round(ms)}ms`
}

/** A multiaddr where the PeerId stands beside it. */
export const bareAddress = (multiaddr: string): string => sanitise(multiaddr.replace(/\/p2p\/[^/]+$/, ''))

/** A round trip. */
export const roundTrip = (us: number | null): string => milliseconds(us === null ? null : us / 1000)

/** Rounded down, so that only what never was away has 100%. */
export const percent = (value: number | null): string =>
  value === null ? unknown : `${value >= 100 ? '100' : (Math.floor(value * 10) / 10).toFixed(1)}%`

export const bytes = (count: number | null): string => {
  if (count === null) return unknown
  if (count < 1024) return `${count}B`
  const power = Math.min(4, Math.floor(Math.log2(count) / 10))
  return `${(count / 1024 ** power).toFixed(1)}${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

export const date = (ms: number | null): string =>
  ms === null ? unknown : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

/** Parts in lines of at most so many characters, broken between parts alone; later lines begin with the indent. */
export const wrapped = (
  parts: readonly string[],
  separator: string,
  width: number | undefined,
  indent = ''
): string => {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    const longer = `${last ?? ''}${separator}${part}`
    if (last !== undefined && (width === undefined || longer.length <= width)) lines[lines.length - 1] = longer
    else lines.push(last === undefined ? part : `${indent}${part}`)
  }
  return lines.join(`${separator.trimEnd()}\n`)
}

export type Paint = 'good' | 'warn' | 'bad' | 'dim' | 'bold'
const styles = { good: 'green', warn: 'yellow', bad: 'red', dim: 'dim', bold: 'bold' } as const

export type Painter = (paint: Paint, text: string) => string

/** Colours where they are wanted, the bare text elsewhere. */
export const painter =
  (colour: boolean): Painter =>
  (paint, text) =>
    colour ? styleText(styles[paint], text, { validateStream: false }) : text
