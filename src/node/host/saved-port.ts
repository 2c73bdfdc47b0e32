import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { saveConfigValue } from '../config/save.ts'

const saved = z.object({ configured: z.number(), port: z.number().int().min(1).max(65_535) })
/** A service must not write its configuration: what it learns lies with its data. */
const fileIn = (data: string): string => join(data, 'port.json')
const notWritable = new Set(['EACCES', 'EPERM', 'EROFS'])

const read = (data: string): z.output<typeof saved> | undefined => {
  try {
    return saved.parse(JSON.parse(readText(fileIn(data), 1024)))
  } catch {
    // None, or another hand was at it: the configuration says which port is tried.
    return undefined
  }
}

/** The port that was free in place of the configured one, at an earlier start. */
export const savedPort = ({ data, configured }: { data: string; configured: number }): number | undefined => {
  const found = read(data)
  return found?.configured === configured ? found.port : undefined
}

export interface SavePortInit {
  configFile: string | undefined
  data: string
  /** Port that the configuration says. */
  wanted: number
  port: number
}

/** Writes the port that was free into the configuration or, where that is not ours, beside the data: the next start takes it again. */
export function savePort({ configFile, data, wanted, port }: SavePortInit, logger: Logger): void {
  if (configFile === undefined || wanted === port) return
  try {
    try {
      saveConfigValue(configFile, 'listen.port', port)
    } catch (error) {
      if (!notWritable.has(codeOf(error) ?? '')) throw error
      const before = read(data)
      const configured = before?.port === wanted ? before.configured : wanted
      writeFileSync(fileIn(data), `${JSON.stringify({ configured, port })}\n`, { mode: 0o600, flush: true })
    }
  } catch (error) {
    logger.warn(
      { error: String(error), port },
      'the port could not be written to the configuration; the next start may take another one'
    )
  }
}
