import { type Loaded, loadConfig } from '../node/config/index.ts'
import type { Context } from './context.ts'

export interface ConfigOptions {
  config?: string
  name?: string
  flags?: Readonly<Record<string, unknown>>
}

/** The configuration that flags, environment and file give together; what deserves a line goes to stderr. */
export const loadedConfig = (context: Context, options: ConfigOptions): Loaded => {
  const { terminal } = context
  const loaded = loadConfig({ file: options.config, name: options.name, flags: options.flags, env: terminal.env })
  for (const warning of loaded.warnings) terminal.progress(`${terminal.paintProgress('warn', 'warning')}: ${warning}`)
  return loaded
}
