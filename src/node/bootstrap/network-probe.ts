import { defaultLimits } from '../../protocols/engine/limits.ts'
import { within } from '../../runtime/abort.ts'
import type { Config } from '../config/schema.ts'
import { asStranger } from './as-stranger.ts'
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
  try {
    const proof = await discoverNetwork(
      {
        node: asStranger(asked, undefined),
        limits: defaultLimits,
        onFailure: () => {}
      },
      within(probeMs, signal)
    )
    return proof.networkId
  } catch {
    return undefined
  }
}
