import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { peerIdText, type SigningKey } from '../../identity/keys.ts'
import { hostGuard } from '../../protocols/engine/host-guard.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { type Hello, type HelloProven, hello, registryHello } from '../../protocols/hello/index.ts'
import { SyncCursors, sync } from '../../protocols/sync/index.ts'
import { openCheckpoint } from '../../registry/objects/checkpoint.ts'
import type { Registry } from '../../registry/registry.ts'
import { within } from '../../runtime/abort.ts'
import { silentLogger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotFoundError } from '../../runtime/errors.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import { waitForProof } from '../bootstrap/proof-wait.ts'
import { protocolLimits } from '../config/protocol-limits.ts'
import type { Config } from '../config/schema.ts'
import { componentLogger } from '../host/component-logger.ts'
import { Gater } from '../host/gater.ts'
import { type BaseServices, libp2pOptions } from '../host/libp2p.ts'
import type { KnownCandidate } from '../resolve/resolver.ts'
import { resolversOutside } from '../resolve/resolvers.ts'

/** A member that was asked for its log. */
export interface Source {
  address: string
  peerId: string | null
  name: string | null
  /** Head that it showed. */
  head: { epoch: number; n: number } | null
  /** The reason why nothing was taken from it; null: all that it has is here. */
  error: string | null
}

export interface GatherInit {
  config: Config
  /** Key of a member, or of the authority: to both the log is shown. */
  key: SigningKey
  registry: Registry
  /** Told what time it is by the clock of a member that was asked. */
  onTime?: ((publicKey: Uint8Array, timeMs: number) => void) | undefined
  /** Question to everybody once the log is here, while the connections are open. A failure is that source's error. */
  ask?: (connection: Connection, limits: ProtocolLimits, signal: AbortSignal) => Promise<void>
}

/** A snapshot of a large network, over a slow link. */
const sourceMs = 120_000
const dialMs = 5_000
/** All members, with one key. */
const gatherMs = 150_000
const quiet = { ...silentLogger, isLevelEnabled: () => false }

/** Asks with each key until somebody has shown the log. */
export async function gatherWithAny(
  keys: readonly SigningKey[],
  init: Omit<GatherInit, 'key'>,
  signal: AbortSignal | undefined
): Promise<Source[]> {
  let sources: Source[] = []
  for (const key of keys) {
    sources = await gatherLog({ ...init, key }, within(gatherMs, signal))
    if (signal?.aborted === true || sources.some(({ error }) => error === null)) break
  }
  return sources
}

/** Refuses to begin before the first entry only because nobody answered in time: every membership would end. @throws NotFoundError */
export function requireShown(heldN: number, sources: readonly Pick<Source, 'address' | 'error'>[]): void {
  if (heldN > 0 || sources.length === 0 || sources.some(({ error }) => error === null)) return
  const why = sources.map(({ address, error }) => `${address}: ${error}`).join('; ')
  throw new NotFoundError(
    `nobody who was asked showed the log (${why}), and this machine has nothing of it: all memberships would end. Try again, name more members with --peer or a copy with --backup; --from 1 begins at the first entry all the same`
  )
}

/**
 * Asks everybody whose address is known for what they have of the log, side by side, and takes in what is verified: in the end the
 * registry holds the highest head that any of them could prove.
 */
export async function gatherLog(init: GatherInit, signal: AbortSignal): Promise<Source[]> {
  const { config, registry, ask = async () => {} } = init
  const limits = protocolLimits(config)
  const logger = silentLogger
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: limits.hello.settleMs })
  const libp2p = await dialingHost(init, trust, limits)
  const shown = new Map<string, HelloProven>()
  libp2p.services.hello.events.addEventListener('proven', ({ detail }) => shown.set(detail.connection.id, detail))
  try {
    const open: { found: Source; connection: Connection }[] = []
    const asked = (await addressesOf(init, signal)).map(async (address): Promise<Source> => {
      const found: Source = { address, peerId: null, name: null, head: null, error: null }
      const over = within(sourceMs, signal)
      await attempt(found, async () => {
        const connection = await libp2p.dial(multiaddr(address), {
          signal: within(dialMs, over)
        })
        await waitForProof(libp2p.services.hello, trust, connection, over)
        Object.assign(found, describe(registry, connection, shown.get(connection.id)))
        open.push({ found, connection })
        const options = { limits, logger, subscribe: false, records: true, cursors: new SyncCursors(), signal: over }
        await sync(connection, registry, options)
      })
      return found
    })
    const sources = await Promise.all(asked)
    await Promise.all(open.map(({ found, connection }) => attempt(found, () => ask(connection, limits, signal))))
    return sources
  } finally {
    trust.clear()
    await libp2p.stop()
  }
}

/** A host that listens nowhere, for the time of one gathering. */
async function dialingHost(
  { config, key, registry, onTime }: GatherInit,
  trust: ConnectionTrust,
  limits: ProtocolLimits
): Promise<Libp2p<BaseServices & { guard: object; hello: Hello }>> {
  const logger = silentLogger
  const source = registryHello(registry, {
    publicKey: key.publicKey,
    software: '',
    maxDelegations: limits.hello.delegations,
    ...(onTime !== undefined && { onTime })
  })
  return await createLibp2p(
    libp2pOptions<{ guard: object; hello: Hello }>({
      privateKey: key.toLibp2p(),
      listen: [],
      announce: () => [],
      gater: new Gater({ limits: config.limits, logger }),
      logger: componentLogger(quiet),
      limits: { dialTimeoutMs: dialMs, memberUpgradeTimeoutMs: config.limits.memberUpgradeTimeoutMs },
      services: { guard: hostGuard({ trust, limits }), hello: hello({ source, trust, limits, logger }) }
    })
  )
}

async function attempt(found: Source, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    found.error ??= inWords(reasonOf(error))
  }
}

/** Addresses from the configuration, the cache and DNS. */
async function addressesOf({ config, key, registry }: GatherInit, signal: AbortSignal): Promise<string[]> {
  const resolvers = resolversOutside(config, { registry, key, limits: protocolLimits(config) })
  const found: KnownCandidate[] = []
  for await (const more of resolvers.resolve(undefined, signal)) found.push(...more)
  return [...new Set(found.map(({ multiaddr: address }) => address.replace(/\/p2p\/.*/, '')))]
}

function describe(
  registry: Registry,
  connection: Connection,
  proven: HelloProven | undefined
): Pick<Source, 'peerId' | 'name' | 'head'> {
  const peerId = connection.remotePeer.toString()
  if (proven === undefined) return { peerId, name: null, head: null }
  const { member, hello: said } = proven
  const checkpoint = said.checkpoint.byteLength === 0 ? undefined : openCheckpoint(said.checkpoint, registry.networkId)
  const head = checkpoint === undefined ? null : { epoch: checkpoint.value.epoch, n: checkpoint.value.n }
  return { peerId: peerIdText(member.publicKey), name: member.name === '' ? null : member.name, head }
}
