import { SigningKey } from '../../identity/keys.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { Supervisor } from '../../runtime/supervisor.ts'
import { componentLogger } from '../component-logger.ts'
import type { Config } from '../config/schema.ts'
import { Candidates } from './candidates.ts'
import type { DiscoveryInit } from './discovery.ts'

/** Parts of a discovery that only asks which network is there: with a key that nobody knows, and nothing kept or logged. */
export const asStranger = (config: Config): Omit<DiscoveryInit, 'pin' | 'limits' | 'onFailure'> => ({
  config,
  key: SigningKey.generate(),
  role: 'external',
  software: '',
  invitedIn: () => undefined,
  candidates: new Candidates({ config, clock: systemClock, invite: () => undefined, cached: () => undefined }),
  clock: systemClock,
  logger: silentLogger,
  libp2pLogger: componentLogger({ ...silentLogger, isLevelEnabled: () => false }),
  services: new Supervisor(systemClock)
})
