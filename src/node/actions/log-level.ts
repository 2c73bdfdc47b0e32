import type { LogLevelView } from '../api/control-api.ts'
import type { LogLevel } from '../logging.ts'
import type { NodeContext } from '../node-context.ts'

/** Changes the level of the log until the process ends; a reload puts that of the configuration back. */
export const setLogLevel = ({ logging, config }: NodeContext, level: LogLevel, service?: string): LogLevelView => {
  const { logger } = logging
  logging.setLevel(level, service)
  logger.info({ level, ...(service !== undefined && { of: service }) }, 'the level of the log was changed by a command')
  const what = service ?? 'this process'
  return {
    schemaVersion: 1,
    level: levelOf(logger.level),
    services: [...logging.components()].map(([name, own]) => ({ name, level: own })),
    message: `${what} logs from ${level} on, until it ends; its configuration says ${config.logging.level}`
  }
}

const levels = ['debug', 'info', 'warn', 'error', 'fatal'] as const

const levelOf = (text: string): LogLevel => levels.find((level) => level === text) ?? 'info'
