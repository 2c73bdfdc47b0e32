import { SigningKey } from '../../identity/keys.ts'
import { defaultLimits } from '../../protocols/engine/limits.ts'
import { silentLogger, systemClock } from '../../runtime/clock-and-logger.ts'
import { componentLogger } from '../component-logger.ts'
import type { Config } from '../config/schema.ts'
import { Candidates } from './candidates.ts'
import { discoverNetwork } from './discovery.ts'

const probeMs = 4_000

/** The network that proves itself at one of these addresses, asked with a key of the moment; undefined: none does in time. */
export async function networkAt(
  config: Config,
  addresses: readonly string[],
  signal?: AbortSignal
): Promise<Uint8Array | undefined> {
  const peers = addresses.map((address) => `/ip6/${address}/tcp/${config.bootstrap.port}`)
  const { domain: _, ...others } = config
  const asked = { ...others, bootstrap: { ...config.bootstrap, peers, registries: [] } }
  const clock = systemClock
  try {
    const proof = await discoverNetwork(
      {
        config: asked,
        key: SigningKey.generate(),
        role: 'external',
        software: '',
        pin: () => undefined,
        invitedIn: () => undefined,
        candidates: new Candidates({ config: asked, clock, invite: () => undefined, cached: () => undefined }),
        limits: defaultLimits,
        clock,
        logger: silentLogger,
        libp2pLogger: componentLogger({ ...silentLogger, isLevelEnabled: () => false }),
        onFailure: () => {},
        wake: () => new AbortController().signal
      },
      AbortSignal.any([AbortSignal.timeout(probeMs), ...(signal === undefined ? [] : [signal])])
    )
    return proof.networkId
  } catch {
    return undefined
  }
}
