import { ControlInputError } from '../api/errors.ts'
import type { ReloadView } from '../api/views.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { NodeContext } from '../node-context.ts'
import { whoAsks } from '../views/operator-names.ts'
import { putLive } from './live-config.ts'

/**
 * Reads the configuration anew and puts in force what may change while the process runs; the rest is named. One that is not valid changes nothing.
 * @throws ControlInputError that says what is wrong
 */
export async function reload(node: NodeContext): Promise<ReloadView> {
  const { config, logging, network, housekeeping } = node
  const fresh = readAnew(node.readConfig)
  const reloaded = putLive(config, fresh)
  const { changed } = reloaded
  // A port that was taken is not the one of the file, and one that was saved is.
  const restart = reloaded.restart.filter((key) => key !== 'listen.port' || fresh.listen.port !== network?.port)
  const has = (section: string): boolean => changed.some((key) => key === section || key.startsWith(`${section}.`))
  if (has('logging')) logging.logger.level = config.logging.level
  if (has('backup')) await housekeeping?.backupsAnew(node.services)
  if (has('announce')) await network?.announceAnew()
  if (has('services')) {
    node.announced.changed()
    node.forwards.recheck()
  }
  if (has('relay')) network?.relays?.look()
  if (has('stores')) network?.storeKeeper?.wake()
  const by = whoAsks(network?.registry)
  logging.logger.info({ by, changed: changed.join(' '), needs_restart: restart.join(' ') }, textOf(changed, restart))
  return { changed: [...changed], restart, message: textOf(changed, restart) }
}

/** Reads it; that it is not valid is told to whoever asked, and is no failure of this process. @throws ControlInputError, ConfigError */
export function readAnew(readConfig: NodeContext['readConfig']): Config {
  if (readConfig === undefined) {
    throw new ConfigError(['this node is part of another program, which has its configuration: nothing was read'])
  }
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ControlInputError(`${error.message}\nNothing was changed.`)
  }
}

function textOf(changed: readonly string[], restart: readonly string[]): string {
  const now =
    changed.length === 0
      ? 'the configuration was read, and nothing that counts now is different'
      : `in force now: ${changed.join(', ')}`
  return restart.length === 0 ? now : `${now}; needs a restart: ${restart.join(', ')}`
}
