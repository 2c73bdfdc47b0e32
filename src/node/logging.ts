import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import type { ComponentLogger } from '@libp2p/interface'
import { type LoggerOptions, type Logger as Pino, pino } from 'pino'
import type { Clock } from '../runtime/clock-and-logger.ts'
import { Redactor, type RedactorInit } from '../runtime/redactor.ts'
import { traceField } from '../runtime/trace.ts'
import { escapedJson, withoutUnescaped } from '../runtime/unsafe-text.ts'
import { componentLogger } from './host/component-logger.ts'
import { LineLimits } from './line-limits.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export interface LoggingInit {
  /** Name of the node; every line has it. */
  readonly node: string
  readonly level?: LogLevel
  readonly format?: 'auto' | 'json' | 'pretty'
  /** Default: stdout. */
  readonly output?: LogOutput
  /** Sources of secrets that no line repeats. Default: those of this process. */
  readonly given?: RedactorInit
  /** Clock of the limits of lines. Default: that of the system. */
  readonly clock?: Clock
}

/** Destination of lines. */
export interface LogOutput {
  write(line: string): unknown
  readonly isTTY?: boolean | undefined
  /** The reason why lines do not arrive any more. */
  readonly errored?: Error | null
}

export interface Logging {
  readonly logger: Pino
  /** The same log for libp2p: its debug and trace lines at debug, so that a stranger's noise is not ours. */
  readonly libp2p: ComponentLogger
  /** The reason why lines are lost: nobody reads them any more, or they cannot be written. */
  failure(): Error | undefined
  /** Changes the level until the process ends: of all, or of a part of libp2p. */
  setLevel(level: LogLevel, component?: string): void
  /** Levels of parts that have one of their own. */
  components(): ReadonlyMap<string, LogLevel>
  /** The last lines, and how many before them are not kept. */
  recent(): { lines: string[]; dropped: number }
}

/** Lines that are kept for a report, and characters of each. */
const keptLines = 500
const keptChars = 2_000
/** Parts that may have a level of their own; one more takes the place of the oldest. */
const mostComponents = 64

/** As pino counts them. */
const infoLevel = 30

type LogMethod = NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']>

/** Fields that never leave this process, whoever puts them into a line. */
const secretFields = ['seed', 'privateKey', 'invite', 'inviteLine', 'inviteKey', 'passphrase', 'password', 'token']

const options = (init: LoggingInit, clean: (line: string) => string): LoggerOptions => ({
  level: init.level ?? 'info',
  base: { service: 'trustnet', node: init.node },
  messageKey: 'message',
  errorKey: 'error',
  mixin: traceField,
  timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
  formatters: { level: (level) => ({ level }) },
  serializers: { error: describeError },
  redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
  hooks: { streamWrite: clean, logMethod: limited(new LineLimits(init.clock)) }
})

/** Leaves out lines that come too often. Those of debug are for whoever has asked for all. */
const limited = (limits: LineLimits): LogMethod =>
  function (this: Pino, args, method, level) {
    const [fields, message]: unknown[] = args
    if (level < infoLevel || !isFields(fields) || typeof message !== 'string') {
      method.apply(this, args)
      return
    }
    const { peer } = fields
    const leftOut = limits.take(message, typeof peer === 'string' ? peer : undefined)
    if (leftOut !== undefined) method.call(this, { ...fields, ...(leftOut > 0 && { left_out: leftOut }) }, message)
  }

const isFields = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Flat text, so that log stores need no schema: name, message, and those of the cause. */
const describeError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const cause = error.cause instanceof Error ? ` (${String(describeError(error.cause))})` : ''
  return `${error.name}: ${error.message}${cause}`
}

/** JSON lines, or readable ones on a terminal. */
export const createLogging = (init: LoggingInit): Logging => {
  const output = init.output ?? process.stdout
  const format = init.format ?? 'auto'
  const pretty = format === 'pretty' || (format === 'auto' && output.isTTY === true)
  const redactor = new Redactor(init.given ?? { argv: process.argv.slice(2), env: process.env })
  const recent = new RecentLines()
  const clean = (line: string): string => recent.add(escapedJson(redactor.clean(line)))
  const logger = pino(options(init, clean), pretty ? prettyStream(output) : output)
  const levels = new ComponentLevels(logger)
  return {
    logger,
    libp2p: componentLogger(levels),
    failure: () => output.errored ?? undefined,
    setLevel: (level, component) => levels.set(level, component),
    components: () => levels.all,
    recent: () => recent.take()
  }
}

/** The last lines that were written. */
class RecentLines {
  readonly #lines: string[] = []
  #dropped = 0

  add(line: string): string {
    this.#lines.push(line.slice(0, keptChars).trimEnd())
    if (this.#lines.length > keptLines) {
      this.#lines.shift()
      this.#dropped++
    }
    return line
  }

  take(): { lines: string[]; dropped: number } {
    return { lines: [...this.#lines], dropped: this.#dropped }
  }
}

/** Sink of libp2p's log, whose parts may have a level of their own: `gossipsub` is that of `libp2p:gossipsub:…`. */
class ComponentLevels {
  readonly #logger: Pino
  /** Writes whatever the level is: whoever writes has asked. */
  readonly #loud: Pino
  readonly #levels = new Map<string, LogLevel>()

  constructor(logger: Pino) {
    this.#logger = logger
    this.#loud = logger.child({}, { level: 'debug' })
  }

  get all(): ReadonlyMap<string, LogLevel> {
    return this.#levels
  }

  set(level: LogLevel, component: string | undefined): void {
    if (component === undefined) {
      this.#logger.level = level
      return
    }
    this.#levels.delete(component)
    this.#levels.set(component, level)
    const [oldest] = this.#levels.keys()
    if (this.#levels.size > mostComponents && oldest !== undefined) this.#levels.delete(oldest)
  }

  debug(fields: object, message: string): void {
    this.#loud.debug(fields, message)
  }

  /** All that libp2p says is a debug line. Of the words about a part the last one counts. */
  isLevelEnabled(level: string, component = ''): boolean {
    if (this.#levels.size === 0) return this.#logger.isLevelEnabled(level)
    const parts = component.split(':')
    const own = [...this.#levels].findLast(([name]) => parts.includes(name) || name === component)?.[1]
    return own === undefined ? this.#logger.isLevelEnabled(level) : own === level
  }
}

/** Loaded for a terminal alone. */
const prettyStream = (output: LogOutput) => {
  const { PinoPretty }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  return PinoPretty({
    destination: new Writable({
      write: (line: Buffer, _encoding, done) => {
        output.write(withoutUnescaped(line.toString()))
        done()
      }
    }),
    messageKey: 'message',
    timestampKey: 'timestamp',
    levelKey: 'level',
    ignore: 'service,node',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    colorize: output.isTTY === true && !process.env['NO_COLOR'],
    sync: true
  })
}
