import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import type { ComponentLogger } from '@libp2p/interface'
import { type LoggerOptions, type Logger as Pino, pino } from 'pino'
import { Redactor, type RedactorInit } from '../runtime/redactor.ts'
import { traceField } from '../runtime/trace.ts'
import { componentLogger } from './host/component-logger.ts'

export interface LoggingInit {
  /** Name of the node; every line has it. */
  readonly node: string
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly format?: 'auto' | 'json' | 'pretty'
  /** Default: stdout. */
  readonly output?: LogOutput
  /** Sources of secrets that no line repeats. Default: those of this process. */
  readonly given?: RedactorInit
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
}

/** Fields that never leave this process, whoever puts them into a line. */
const secretFields = ['seed', 'privateKey', 'invite', 'inviteLine', 'inviteKey', 'passphrase', 'password', 'token']

const options = (init: LoggingInit, redactor: Redactor): LoggerOptions => ({
  level: init.level ?? 'info',
  base: { service: 'trustnet', node: init.node },
  messageKey: 'message',
  errorKey: 'error',
  mixin: traceField,
  timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
  formatters: { level: (level) => ({ level }) },
  serializers: { error: describeError },
  redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
  hooks: { streamWrite: (line) => redactor.clean(line) }
})

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
  const logger = pino(options(init, redactor), pretty ? prettyStream(output) : output)
  return { logger, libp2p: componentLogger(logger), failure: () => output.errored ?? undefined }
}

/** Loaded for a terminal alone. */
const prettyStream = (output: LogOutput) => {
  const { PinoPretty }: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  return PinoPretty({
    destination: new Writable({
      write: (line: Buffer, _encoding, done) => {
        output.write(line.toString())
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
