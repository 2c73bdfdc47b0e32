import type { Loaded } from '../../node/config/index.ts'
import type { Context } from '../output/context.ts'

export interface ConfigOptions {
  config?: string
  name?: string
  flags?: Readonly<Record<string, unknown>>
  /** The named file is made by the command when it is not there. */
  mayBeNew?: boolean
}

/** The configuration that flags, environment and file give together; what deserves a line goes to stderr. */
export const loadedConfig = async (context: Context, options: ConfigOptions): Promise<Loaded> => {
  const { terminal } = context
  // Schema and YAML take longer to load than a command that only asks a running process takes in all.
  const { loadConfig } = await import('../../node/config/index.ts')
  const { config: file, name, flags, mayBeNew = false } = options
  const loaded = loadConfig({ file, name, flags, mayBeNew, env: terminal.env })
  for (const warning of loaded.warnings) terminal.progress(`${terminal.paintProgress('warn', 'warning')}: ${warning}`)
  return loaded
}
