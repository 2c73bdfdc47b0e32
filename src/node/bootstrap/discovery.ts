import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { networkFingerprint, networkIdText } from '../../identity/network-id.ts'
import { hostGuard } from '../../protocols/engine/host-guard.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import {
  type DiscoveryHello,
  discoveryHello,
  type Hello,
  hello,
  type NetworkProof
} from '../../protocols/hello/index.ts'
import { onAbort } from '../../runtime/abort.ts'
import { Backoff } from '../../runtime/backoff.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { finished, type Running } from '../../runtime/supervisor.ts'
import { backoffOf } from '../config/backoff.ts'
import { failureText, NoCandidateError } from '../errors.ts'
import { Gater } from '../host/gater.ts'
import { type BaseServices, libp2pOptions } from '../host/libp2p.ts'
import type { NodeParts } from '../node-parts.ts'
import type { KnownCandidate } from '../resolve/resolver.ts'
import { type DialFailure, raceDial } from './dial-race.ts'
import { waitForProof } from './proof-wait.ts'

/** Node that looks for a network: what must prove itself (`pin`) and the invite are looked at anew in each round. */
export interface Searcher
  extends Pick<NodeParts, 'config' | 'key' | 'software' | 'pin' | 'resolvers' | 'clock' | 'services'> {
  readonly invites: Pick<NodeParts['invites'], 'invite'>
  readonly logging: { readonly logger: Logger; readonly libp2p: ComponentLogger }
}

export interface DiscoveryInit {
  node: Searcher
  limits: ProtocolLimits
  /** Called for each failed round, so that status can say what is being tried. */
  onFailure: (failures: readonly DialFailure[]) => void
  /** Takes what begins the next round at once: an invite was handed over. */
  onBegun?: (discovery: Running) => void
}

type DiscoveryServices = { guard: object; hello: Hello }

/**
 * Finds the network for the first time: a host that does not listen and speaks nothing but hello dials candidates side by
 * side until one proves the pinned network. Goes on for ever, with growing pauses; rejects only when the signal fires.
 */
export async function discoverNetwork(init: DiscoveryInit, signal: AbortSignal): Promise<NetworkProof> {
  const { node, limits } = init
  const { config, clock, services } = node
  const { logger } = node.logging
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: limits.hello.settleMs, clock, logger })
  const source = helloOf(node, limits)
  const gater = new Gater({ limits: config.limits, logger })
  const libp2p = await createLibp2p(hostOptions(init, gater, trust, source))
  const round = new DiscoveryRound(init, { trust, source, gater, libp2p })
  const backoff = new Backoff(backoffOf(config))
  const found = Promise.withResolvers<NetworkProof>()
  const discovery = services.run('discovery', {
    everyMs: 0,
    isPassing: true,
    round: async () => {
      found.resolve(await round.run(signal))
      return finished
    },
    onFailed: (error) => {
      const failures = failuresOf(error)
      init.onFailure(failures)
      const pauseMs = backoff.next()
      logger.warn({ retry_after_seconds: Math.round(pauseMs / 1000), attempt: backoff.attempt }, whatFailed(failures))
      return pauseMs
    }
  })
  init.onBegun?.(discovery)
  using _ = onAbort(signal, found.reject)
  try {
    return await found.promise
  } finally {
    await discovery.stop()
    trust.clear()
    await libp2p.stop()
  }
}

const helloOf = (node: Searcher, { hello: { delegations } }: ProtocolLimits): DiscoveryHello =>
  discoveryHello({
    role: node.config.role,
    software: node.software,
    pin: node.pin,
    invitedIn: () => node.invites.invite?.grant.epoch,
    maxDelegations: delegations,
    clock: node.clock
  })

const hostOptions = (
  { node: { config, key, clock, logging }, limits }: DiscoveryInit,
  gater: Gater,
  trust: ConnectionTrust,
  source: DiscoveryHello
): Libp2pOptions<DiscoveryServices & BaseServices> =>
  libp2pOptions<DiscoveryServices>({
    privateKey: key.toLibp2p(),
    listen: [],
    announce: () => [],
    gater,
    logger: logging.libp2p,
    limits: {
      dialTimeoutMs: config.bootstrap.dialTimeoutMs,
      memberUpgradeTimeoutMs: config.limits.memberUpgradeTimeoutMs
    },
    services: {
      guard: hostGuard({ trust, limits }),
      hello: hello({ source, trust, limits, clock, logger: logging.logger })
    }
  })

interface DiscoveryParts {
  trust: ConnectionTrust
  source: DiscoveryHello
  gater: Gater
  libp2p: Libp2p<DiscoveryServices>
}

/** One round over all who are known or named by others. */
class DiscoveryRound {
  readonly #init: DiscoveryInit
  readonly #parts: DiscoveryParts

  constructor(init: DiscoveryInit, parts: DiscoveryParts) {
    this.#init = init
    this.#parts = parts
  }

  /** @throws NoCandidateError with all failures of the round */
  async run(signal: AbortSignal): Promise<NetworkProof> {
    const { resolvers } = this.#init.node
    const failures: DialFailure[] = []
    this.#pinAgain()
    for await (const candidates of resolvers.resolve(undefined, signal)) {
      try {
        const proof = await this.#race(candidates, signal)
        if (proof !== undefined) return proof
      } catch (error) {
        signal.throwIfAborted()
        failures.push(...failuresOf(error))
      }
    }
    throw new NoCandidateError(failures)
  }

  /** An invite may have come meanwhile. */
  #pinAgain(): void {
    const { pin } = this.#init.node
    if (pin !== undefined) this.#parts.source.setPin(pin)
  }

  async #race(candidates: readonly KnownCandidate[], signal: AbortSignal): Promise<NetworkProof | undefined> {
    if (candidates.length === 0) return undefined
    const { libp2p, gater, trust, source } = this.#parts
    const { staggerMs, dialTimeoutMs } = this.#init.node.config.bootstrap
    const { address } = await raceDial({ libp2p, gater }, candidates, {
      staggerMs,
      dialTimeoutMs,
      signal,
      verify: (connection, verifySignal) =>
        waitForProof(libp2p.services.hello, trust, connection, verifySignal, this.#init.node.pin)
    })
    this.#init.node.resolvers.answered(address)
    this.#pinAgain()
    return [...source.proven.values()][0]
  }
}

export const failuresOf = (error: unknown): readonly DialFailure[] =>
  error instanceof NoCandidateError
    ? error.failures
    : [{ address: '', error: error instanceof Error ? error : new Error(String(error)) }]

const whatFailed = (failures: readonly DialFailure[]): string => {
  if (failures.length === 0) {
    return 'the network was not found: nobody is known yet and DNS has no answer; give an invite, --peer or a tnr record. Trying again'
  }
  const said = failures.map(({ address, error }) => failureText(address, error)).join('; ')
  return `the network was not found: ${said}. Trying again`
}

/** One line to compare by eye. */
export const firstUseNotice = (proof: NetworkProof): string =>
  `trusting ${networkIdText(proof.networkId)} on first use; fingerprint ${networkFingerprint(proof.networkId)}`
