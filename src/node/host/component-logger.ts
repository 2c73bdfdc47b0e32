import type { ComponentLogger, Logger } from '@libp2p/interface'
import { base58btc } from 'multiformats/bases/base58'

/** The parts of pino that are used. */
interface Sink {
  debug(fields: object, message: string): void
  /** `component` may have a level of its own. */
  isLevelEnabled(level: string, component?: string): boolean
}

type Format = (value: unknown) => string

const bytes =
  (encoding: BufferEncoding): Format =>
  (value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString(encoding) : String(value)

const plain: Format = (value) => String(value)
const json: Format = (value) => JSON.stringify(value) ?? 'undefined'

/** printf-like formats of libp2p's log calls. */
const formats: ReadonlyMap<string, Format> = new Map(
  Object.entries<Format>({
    s: plain,
    d: plain,
    i: plain,
    f: plain,
    o: json,
    O: json,
    j: json,
    p: plain,
    a: plain,
    c: plain,
    k: plain,
    e: (value) => (value instanceof Error ? value.message : String(value)),
    b: (value) => (value instanceof Uint8Array ? base58btc.baseEncode(value) : String(value)),
    t: bytes('hex'),
    m: bytes('base64')
  })
)

/** Fills the message and puts peers into a field of their own. */
const render = (template: unknown, values: readonly unknown[], fields: Record<string, unknown>): string => {
  let next = 0
  const text = String(template instanceof Error ? template.message : template)
  return text.replaceAll(/%([a-zA-Z%])/g, (match, letter: string) => {
    if (letter === '%') return '%'
    const format = formats.get(letter)
    if (format === undefined || next >= values.length) return match
    const value = values[next++]
    if (letter === 'p') fields['peer'] = String(value)
    try {
      return format(value)
    } catch {
      return match
    }
  })
}

/**
 * libp2p's log as debug lines of ours. Its `error` lines are one peer's trouble (a refused dial, a reset stream), which
 * a stranger can cause at will; what matters of them is logged by the part that asked.
 */
export const componentLogger = (sink: Sink): ComponentLogger => {
  const known = new Map<string, Logger>()
  const forComponent = (name: string): Logger => {
    const logger = known.get(name) ?? makeLogger(sink, name)
    known.set(name, logger)
    return logger
  }
  return { forComponent }
}

const makeLogger = (sink: Sink, component: string): Logger => {
  const write =
    (fields: Readonly<Record<string, unknown>>) =>
    (format: unknown, ...values: unknown[]): void => {
      if (!sink.isLevelEnabled('debug', component)) return
      const line: Record<string, unknown> = { ...fields }
      sink.debug(line, render(format, values, line))
    }
  const logger: Logger = Object.assign(write({ component }), {
    enabled: false,
    error: write({ component, severity: 'error' }),
    // One line per frame: even a debug log drowns in it.
    trace: () => {},
    // A logger for each stream and connection would be garbage as long as nothing is written.
    newScope: (name: string): Logger =>
      sink.isLevelEnabled('debug', component) ? makeLogger(sink, `${component}:${name}`) : logger
  })
  return Object.defineProperty(logger, 'enabled', { get: () => sink.isLevelEnabled('debug', component) })
}
