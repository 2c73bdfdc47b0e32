import type { Duplex } from 'node:stream'
import { checkName } from '../../identity/checked-bytes.ts'
import { peerIdText } from '../../identity/keys.ts'
import { AnswerTurns } from '../../protocols/engine/answer-turns.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import type { Forward } from '../../protocols/forward/forward.ts'
import { cutOff, type LiveForwards, openForward } from '../../protocols/forward/index.ts'
import type { Member } from '../../registry/log/state/network-state.ts'
import { abortReason, either } from '../../runtime/abort.ts'
import { InvalidPayloadError, UnavailableError } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/sleep.ts'
import { connectionToMember } from '../actions/connect.ts'
import { requireNetwork } from '../actions/require.ts'
import type { NodeContext } from '../node-context.ts'
import { requireMember } from '../views/peer-names.ts'
import { candidatesFor } from './candidates.ts'
import type { Called, OpenedForward } from './forwards.ts'
import { OpeningTime } from './opening-time.ts'

const retryMs = 5_000
/** Candidates of which each has the time to be silent, so that the next one is asked. */
const mostInTurn = 3

/** A service that one of the members is asked for. */
interface Attempt {
  readonly service: string
  /** Time for all members together. */
  readonly time: OpeningTime
  /** Part of it that this one may take. */
  readonly mostMs: number
}

/** Calls services of other members. Never opens more, or more quickly, than they take. */
export class Caller {
  readonly #node: NodeContext
  readonly #live: LiveForwards
  readonly #opening: AnswerTurns
  readonly #rate: Gcra

  constructor(node: NodeContext, live: LiveForwards) {
    const { opening, rate } = node.config.protocols.forward
    this.#node = node
    this.#live = live
    this.#opening = new AnswerTurns(opening)
    // Half of what the other side takes: what was delayed on the way comes there all at once.
    this.#rate = new Gcra({ ...rate, count: Math.ceil(rate.count / 2) }, { clock: node.clock })
  }

  /**
   * Joins a socket to a service, as long as both last. The socket is cut off when it fails.
   * @throws InvalidPayloadError, NotFoundError, NotAllowedError, NotExposedError, UnavailableError
   */
  async join(called: Called, socket: Duplex, signal: AbortSignal): Promise<Forward> {
    const gone = new AbortController()
    const onClose = (): void => gone.abort(new UnavailableError('whoever called has gone', 0))
    socket.once('close', onClose)
    try {
      const { forward, frames } = await this.open(called, either(signal, gone.signal))
      await forward.join(frames, socket)
      return forward
    } catch (error) {
      cutOff(socket)
      throw error
    } finally {
      socket.off('close', onClose)
    }
  }

  /** Refuses a member that nobody could call, where the network is known. @throws NotFoundError, AmbiguousNameError, InvalidPayloadError */
  checkPeer({ peer }: Called): void {
    const registry = this.#node.network?.registry
    if (peer !== undefined && registry !== undefined) this.#refuseSelf(requireMember(registry, peer))
  }

  /** The first part of it: whoever is given the forward joins it, or disposes of it. @throws as join */
  async open({ peer, service }: Called, given: AbortSignal): Promise<OpenedForward> {
    checkName(service, 'name of a service')
    const network = requireNetwork(this.#node)
    const { openMs } = this.#node.config.protocols.forward
    const time = new OpeningTime(openMs, this.#node.clock)
    const once = { service, time, mostMs: openMs }
    if (peer !== undefined) return await this.#openAtTurn(requireMember(network.registry, peer), once, given)
    const candidates = candidatesFor(this.#node, network, service)
    const shared = { ...once, mostMs: openMs / Math.min(candidates.length, mostInTurn) }
    let failure: unknown
    for (const [at, member] of candidates.entries()) {
      try {
        return await this.#openAtTurn(member, at === candidates.length - 1 ? once : shared, given)
      } catch (error) {
        if (given.aborted || time.leftMs === 0) throw error
        failure = error
      }
    }
    throw failure
  }

  async #openAtTurn(member: Member, attempt: Attempt, given: AbortSignal): Promise<OpenedForward> {
    this.#refuseSelf(member)
    const peer = peerIdText(member.publicKey)
    return await this.#opening.run(peer, async () => {
      given.throwIfAborted()
      for (let ms = this.#rate.take(peer); ms > 0; ms = this.#rate.take(peer)) await sleep(ms, given)
      const { service, time, mostMs } = attempt
      return await time.use(mostMs, given, async (signal) => await this.#openInTime(member, service, signal))
    })
  }

  #refuseSelf({ publicKey, name }: Member): void {
    if (Buffer.compare(publicKey, this.#node.key.publicKey) === 0)
      throw new InvalidPayloadError(`${name} is this node itself: call the service at its own address`)
  }

  async #openInTime(member: Member, service: string, signal: AbortSignal): Promise<OpenedForward> {
    try {
      return await this.#openAt(member, service, signal)
    } catch (error) {
      const reason = signal.aborted ? abortReason(signal) : undefined
      if (reason?.name !== 'TimeoutError') throw reason ?? error
      throw new UnavailableError(`${member.name} did not answer in time: \`trustnet ping ${member.name}\``, retryMs)
    }
  }

  async #openAt(member: Member, service: string, signal: AbortSignal): Promise<OpenedForward> {
    const { registry, limits } = requireNetwork(this.#node)
    const connection = await connectionToMember(this.#node, member, signal)
    const { publicKey } = member
    const peer = peerIdText(publicKey)
    const forward = this.#live.begin({ peer, publicKey, service, direction: 'out', connection })
    try {
      const frames = await openForward(connection, service, {
        networkId: registry.networkId,
        limits,
        member: member.name,
        signal
      })
      return { forward, frames }
    } catch (error) {
      forward[Symbol.dispose]()
      throw error
    }
  }
}
