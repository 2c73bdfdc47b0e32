import type { Loaded } from '../../node/config/index.ts'
import type { Context } from '../output/context.ts'

export interface ConfigOptions {
  config?: string
  name?: string
  flags?: Readonly<Record<string, unknown>>
}

/** The configuration that flags, environment and file give together; what deserves a line goes to stderr. */
export const loadedConfig = async (context: Context, options: ConfigOptions): Promise<Loaded> => {
  const { terminal } = context
  // Schema and YAML take longer to load than a command that only asks a running process takes in all.
  const { loadConfig } = await import('../../node/config/index.ts')
  const loaded = loadConfig({ file: options.config, name: options.name, flags: options.flags, env: terminal.env })
  for (const warning of loaded.warnings) terminal.progress(`${terminal.paintProgress('warn', 'warning')}: ${warning}`)
  return loaded
}
