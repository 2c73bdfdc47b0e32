import { setImmediate } from 'node:timers/promises'
import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { isPlainIp6, parseAddr, parseLinkAddr } from '../../address/multiaddr.ts'
import { closeConnection } from '../../protocols/engine/libraries/close-connection.ts'
import { either, onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { AddressError, NoCandidateError, PinMismatchError } from '../errors.ts'
import type { Expectation, Pins } from '../host/dial-pins.ts'

export interface Candidate {
  /** `/ip6/…/tcp/…`; a `/p2p/…` at its end counts as the only accepted PeerId. Or `/ip6zone/IFACE/ip6/fe80::…/tcp/…`, where anybody may answer. */
  readonly multiaddr: string
  /** PeerIds that are accepted there, as text; undefined: any, the caller decides. */
  readonly peerIds?: readonly string[] | undefined
}

export interface DialFailure {
  readonly address: string
  readonly error: Error
}

export interface RaceResult {
  readonly connection: Connection
  /** The candidate's address that won. */
  readonly address: string
  /** Candidates that failed before; those that were merely slower are not among them. */
  readonly failures: readonly DialFailure[]
}

export interface RaceComponents {
  readonly libp2p: Pick<Libp2p, 'dial'>
  readonly gater: { readonly pins: Pins }
}

export interface RaceOptions {
  readonly signal?: AbortSignal
  /** The next candidate starts after it, or as soon as one has failed. */
  readonly staggerMs?: number
  /** Deadline of one dial. */
  readonly dialTimeoutMs?: number
  /** Check that an arrived connection must pass before it wins; while it does, the others go on. Throws when it cannot. */
  readonly verify?: (connection: Connection, signal: AbortSignal) => Promise<void>
}

interface Target {
  readonly address: string
  readonly peerIds: ReadonlySet<string> | undefined
}

const defaults = { staggerMs: 250, dialTimeoutMs: 5000 }

/**
 * Dials candidates side by side and keeps the first that answers with an accepted key. Addresses are dialled bare and
 * the key is compared after Noise: dials that name a PeerId would wait for one another. Losers are closed.
 * Throws NoCandidateError with the reason of each, or the signal's reason.
 */
export const raceDial = async (
  components: RaceComponents,
  candidates: readonly Candidate[],
  options: RaceOptions = {}
): Promise<RaceResult> => {
  const { targets, failures } = prepare(candidates)
  options.signal?.throwIfAborted()
  if (targets.length === 0) throw new NoCandidateError(failures)
  return new Race(components, targets, failures, options).run()
}

class Race {
  readonly #components: RaceComponents
  readonly #waiting: Target[]
  readonly #failures: DialFailure[]
  readonly #options: RaceOptions
  readonly #over = new AbortController()
  readonly #result = Promise.withResolvers<RaceResult>()
  #running = 0
  #settled = false
  #timer: NodeJS.Timeout | undefined

  constructor(components: RaceComponents, targets: Target[], failures: DialFailure[], options: RaceOptions) {
    this.#components = components
    this.#waiting = targets
    this.#failures = failures
    this.#options = options
  }

  async run(): Promise<RaceResult> {
    using _ = onAbort(this.#options.signal, (reason) => this.#reject(reason))
    this.#next()
    try {
      return await this.#result.promise
    } finally {
      clearTimeout(this.#timer)
      this.#over.abort()
    }
  }

  #next(): void {
    clearTimeout(this.#timer)
    const target = this.#waiting.shift()
    if (target === undefined || this.#settled) return
    this.#running++
    inBackground(this.#dial(target), 'dialling a candidate')
    if (this.#waiting.length > 0)
      this.#timer = setTimeout(() => this.#next(), this.#options.staggerMs ?? defaults.staggerMs)
  }

  async #dial(target: Target): Promise<void> {
    const { libp2p, gater } = this.#components
    const expectation = gater.pins.expect(target.address, target.peerIds)
    const timeout = AbortSignal.timeout(this.#options.dialTimeoutMs ?? defaults.dialTimeoutMs)
    try {
      const signal = either(timeout, this.#over.signal)
      // force: a connection to that address that is open may be a dead one, and is why we dial.
      const connection = await libp2p.dial(multiaddr(target.address), { signal, force: true })
      gater.pins.forget(target.address, expectation)
      await this.#check(target, connection, signal)
      this.#arrived(target, connection)
    } catch (error) {
      gater.pins.forget(target.address, expectation)
      this.#failed(target, reasonOf(target, expectation, error, timeout.aborted))
    }
  }

  /** The key again, since the gater accepts for all races that dial this address; then what the caller wants to see. */
  async #check(target: Target, connection: Connection, signal: AbortSignal): Promise<void> {
    const peerId = connection.remotePeer.toString()
    try {
      if (target.peerIds?.has(peerId) === false) {
        throw new PinMismatchError(target.address, [...target.peerIds], peerId)
      }
      if (!this.#settled) await this.#options.verify?.(connection, signal)
    } catch (error) {
      inBackground(closeLoser(connection), 'closing a losing connection')
      throw error
    }
  }

  #arrived(target: Target, connection: Connection): void {
    if (this.#settled) {
      inBackground(closeLoser(connection), 'closing a losing connection')
      return
    }
    this.#settled = true
    won.add(connection)
    this.#result.resolve({ connection, address: target.address, failures: [...this.#failures] })
  }

  #failed(target: Target, error: Error): void {
    this.#running--
    this.#failures.push({ address: target.address, error })
    if (this.#settled) return
    if (this.#waiting.length > 0) this.#next()
    else if (this.#running === 0) this.#reject(new NoCandidateError(this.#failures))
  }

  #reject(reason: unknown): void {
    if (this.#settled) return
    this.#settled = true
    this.#result.reject(reason)
  }
}

/** Plain addresses without duplicates, and what is wrong with the others. */
const prepare = (candidates: readonly Candidate[]): { targets: Target[]; failures: DialFailure[] } => {
  const byAddress = new Map<string, Set<string> | undefined>()
  const failures: DialFailure[] = []
  for (const candidate of candidates) {
    if (parseLinkAddr(candidate.multiaddr) !== undefined) {
      byAddress.set(candidate.multiaddr, undefined)
      continue
    }
    const addr = isPlainIp6(candidate.multiaddr) ? parseAddr(candidate.multiaddr) : undefined
    if (addr?.port === undefined) {
      const error = new AddressError(`${candidate.multiaddr} is no plain IPv6 TCP address, so it is not dialled`)
      failures.push({ address: candidate.multiaddr, error })
      continue
    }
    const address = `/ip6/${addr.ip}/tcp/${addr.port}`
    const named = addr.peerId === undefined ? candidate.peerIds : [addr.peerId]
    if (addr.peerId !== undefined && candidate.peerIds?.includes(addr.peerId) === false) {
      failures.push({ address, error: new PinMismatchError(address, candidate.peerIds, addr.peerId) })
    } else {
      // Whoever names an address without a pin does not weaken the pin that another source has for it.
      const known = byAddress.get(address)
      byAddress.set(address, named === undefined ? known : new Set([...(known ?? []), ...named]))
    }
  }
  return { targets: [...byAddress].map(([address, peerIds]) => ({ address, peerIds })), failures }
}

/** Connections that a race gave to its caller. */
const won = new WeakSet<Connection>()

/** libp2p may give one connection to two races that dial the same address; then it is the winner's to close. */
const closeLoser = async (connection: Connection): Promise<void> => {
  await setImmediate()
  if (!won.has(connection)) await closeConnection(connection)
}

const reasonOf = (target: Target, expectation: Expectation, error: unknown, timedOut: boolean): Error => {
  if (expectation.mismatch !== undefined) {
    return new PinMismatchError(target.address, [...(target.peerIds ?? [])], expectation.mismatch)
  }
  const cause = error instanceof Error ? error : new Error(String(error))
  if (timedOut) return new Error('no answer in time: the host is away, frozen, or its firewall drops us', { cause })
  return cause
}
