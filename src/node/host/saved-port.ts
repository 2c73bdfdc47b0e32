import type { Logger } from '../../runtime/clock-and-logger.ts'
import { saveConfigValue } from '../config/save.ts'

/** Writes the port that was free into the configuration, so that the next start takes the same one. */
export function savePort(configFile: string, port: number, logger: Logger): void {
  try {
    saveConfigValue(configFile, 'listen.port', port)
  } catch (error) {
    logger.warn(
      { error: String(error), port },
      'the port could not be written to the configuration; the next start may take another one'
    )
  }
}
