import type { LogLevelView } from '../api/control-api.ts'
import { logLevels } from '../api/words.ts'
import type { LogLevel } from '../logging.ts'
import type { NodeContext } from '../node-context.ts'

/** Changes the level of the log until the process ends, or a reload brings another one. */
export const setLogLevel = (
  { logging, config }: Pick<NodeContext, 'logging'> & { config: Pick<NodeContext['config'], 'logging'> },
  level: LogLevel,
  service?: string
): LogLevelView => {
  const { logger } = logging
  logging.setLevel(level, service)
  const fields = { log_level: level, ...(service !== undefined && { component: service }) }
  logger.info(fields, 'the level of the log was changed by a command')
  const what = service === undefined ? 'this process logs' : `what libp2p calls ${service}, if anything, is logged`
  return {
    level: logLevels.find((each) => each === logger.level) ?? 'info',
    services: [...logging.components()].map(([name, own]) => ({ name, level: own })),
    message: `${what} from ${level} on, until it ends; its configuration says ${config.logging.level}`
  }
}
