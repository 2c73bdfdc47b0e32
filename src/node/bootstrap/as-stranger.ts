import { SigningKey } from '../../identity/keys.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { Supervisor } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import { componentLogger } from '../host/component-logger.ts'
import { resolversOutside } from '../resolve/resolvers.ts'
import type { Searcher } from './discovery.ts'

/** A searcher that only asks which network is there: with a key that nobody knows, and nothing kept or logged. */
export const asStranger = (config: Config, pin: Uint8Array | undefined): Searcher => ({
  config: { ...config, role: 'external' },
  key: SigningKey.generate(),
  software: '',
  pin,
  invites: { invite: undefined },
  resolvers: resolversOutside(config),
  clock: systemClock,
  logging: {
    logger: silentLogger,
    libp2p: componentLogger({ ...silentLogger, isLevelEnabled: () => false })
  },
  services: new Supervisor(systemClock)
})
