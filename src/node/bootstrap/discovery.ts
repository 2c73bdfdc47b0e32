import type { ComponentLogger } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import type { SigningKey } from '../../identity/keys.ts'
import { networkFingerprint, networkIdText } from '../../identity/network-id.ts'
import type { Role } from '../../identity/role.ts'
import { ConnectionTrust } from '../../protocols/engine/connection-trust.ts'
import { hostGuard } from '../../protocols/engine/host-guard.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import { discoveryHello, type Hello, hello, type NetworkProof } from '../../protocols/hello/index.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import { sleep } from '../../runtime/sleep.ts'
import { Backoff, backoffOf } from '../backoff.ts'
import type { Config } from '../config/schema.ts'
import { failureText, NoCandidateError } from '../errors.ts'
import { Gater } from '../host/gater.ts'
import { libp2pOptions } from '../host/libp2p.ts'
import type { Candidates, KnownCandidate } from './candidates.ts'
import { type DialFailure, raceDial } from './dial-race.ts'
import { waitForProof } from './proof-wait.ts'

export interface DiscoveryInit {
  config: Config
  key: SigningKey
  role: Role
  software: string
  /** The network that must prove itself, asked anew in each round; undefined: the first one that does, by the operator's word. */
  pin: () => Uint8Array | undefined
  /** Epoch of the invite, asked anew in each round. */
  invitedIn: () => number | undefined
  candidates: Candidates
  limits: ProtocolLimits
  clock: Clock
  logger: Logger
  libp2pLogger: ComponentLogger
  /** Called for each failed round, so that status can say what is being tried. */
  onFailure: (failures: readonly DialFailure[]) => void
  /** Aborts when the next round should begin at once: an invite was handed over. */
  wake: () => AbortSignal
}

/**
 * Finds the network for the first time: a host that does not listen and speaks nothing but hello dials candidates side by
 * side until one proves the pinned network. Goes on for ever, with growing pauses; rejects only when the signal fires.
 */
export async function discoverNetwork(init: DiscoveryInit, signal: AbortSignal): Promise<NetworkProof> {
  const { config, clock, limits, logger } = init
  const trust = new ConnectionTrust({ limits: limits.strangers, settleMs: limits.hello.settleMs, clock, logger })
  const source = discoveryHello({ ...init, pin: init.pin(), maxDelegations: limits.hello.delegations })
  const gater = new Gater({ limits: config.limits, logger })
  const libp2p = await createLibp2p(
    libp2pOptions<{ guard: object; hello: Hello }>({
      privateKey: init.key.toLibp2p(),
      listen: [],
      announce: () => [],
      gater,
      logger: init.libp2pLogger,
      limits: {
        dialTimeoutMs: config.bootstrap.dialTimeoutMs,
        memberUpgradeTimeoutMs: config.limits.memberUpgradeTimeoutMs
      },
      services: { guard: hostGuard({ trust, limits }), hello: hello({ source, trust, limits, clock, logger }) }
    })
  )
  const backoff = new Backoff(backoffOf(config))
  try {
    for (;;) {
      const failures: DialFailure[] = []
      pinAgain()
      for (const group of [() => init.candidates.known(), () => init.candidates.fromDns(signal)]) {
        const candidates = await group()
        if (candidates.length === 0) continue
        try {
          await race(candidates)
          // An invite may have come meanwhile.
          pinAgain()
          const proof = [...source.proven.values()][0]
          if (proof !== undefined) return proof
        } catch (error) {
          signal.throwIfAborted()
          failures.push(...failuresOf(error))
        }
      }
      init.onFailure(failures)
      const pauseMs = backoff.next()
      logger.warn({ retry_after_seconds: Math.round(pauseMs / 1000), attempt: backoff.attempt }, whatFailed(failures))
      await sleep(pauseMs, AbortSignal.any([signal, init.wake()])).catch(() => signal.throwIfAborted())
    }
  } finally {
    trust.clear()
    await libp2p.stop()
  }

  function pinAgain(): void {
    const pin = init.pin()
    if (pin !== undefined) source.setPin(pin)
  }

  async function race(candidates: KnownCandidate[]): Promise<void> {
    const { staggerMs, dialTimeoutMs } = config.bootstrap
    const { address } = await raceDial({ libp2p, gater }, candidates, {
      staggerMs,
      dialTimeoutMs,
      signal,
      verify: (connection, verifySignal) =>
        waitForProof(libp2p.services.hello, trust, connection, verifySignal, init.pin())
    })
    init.candidates.answered(address)
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
