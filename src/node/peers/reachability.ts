import type { Connection } from '@libp2p/interface'
import { isRelayed } from '../../address/circuit.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { peerIdText } from '../../identity/keys.ts'
import { isRegistryRole, type Role, servesRegistry } from '../../identity/role.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import { probe } from '../../protocols/probe/index.ts'
import type { Reach } from '../../registry/objects/record.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import type { Supervisor } from '../../runtime/supervisor.ts'

export interface ReachInit {
  networkId: Uint8Array
  role: Role
  trust: ConnectionTrust
  limits: ProtocolLimits
  logger: Logger
  announced: () => readonly string[]
  /** Reach in the newest own record; undefined: there is none that others have. */
  current: () => Reach | undefined
  publish: (reach: Reach) => Promise<void>
}

/** A network that starts has better things to do. */
const firstMs = { from: 5_000, to: 10_000 }
/** Until it is known, and after a first answer that nobody gets through. */
const againMs = 10_000
const directMs = 15 * 60_000
const outboundMs = 2 * 60_000
/** Members that are asked in one round; so many, or all that can be asked, must have failed twice for `outbound`. */
const asked = 3
const wanted = 2

type Answer = 'reached' | 'failed' | 'unknown'

/** True where somebody has dialled this node from beyond its links: between neighbours on one there is no router whose firewall could stop them. */
export const provesReach = ({ direction, remoteAddr }: Pick<Connection, 'direction' | 'remoteAddr'>): boolean =>
  direction === 'inbound' && parseAddr(remoteAddr)?.scope !== 'link-local'

/**
 * Finds out whether others can dial this node. A member that dialled it is the proof; while there is none, some are asked to. A registry is
 * never called outbound: others are to try it whatever a few of them say.
 */
export class ReachabilityMonitor {
  readonly #init: ReachInit
  /** Rounds in which all who were asked failed, one after the other. */
  #failed = 0

  constructor(init: ReachInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    services.run('reach', {
      everyMs: againMs,
      firstMs: firstMs.from + Math.random() * (firstMs.to - firstMs.from),
      round: (signal) => this.#look(signal)
    })
  }

  /** Gives the ms until the next look. */
  async #look(signal: AbortSignal): Promise<number> {
    const { current, publish, logger } = this.#init
    const before = current()
    if (before === undefined) return againMs
    const reach = await this.#judge(signal)
    if (reach === 'unknown') return againMs
    if (reach !== before) {
      const found =
        reach === 'direct'
          ? 'others can dial this node'
          : 'nobody can dial this node: it is reached over the connections that it opens'
      logger.info({ reach }, found)
      await publish(reach)
    }
    return reach === 'direct' ? directMs : outboundMs
  }

  async #judge(signal: AbortSignal): Promise<Reach> {
    const { trust, role } = this.#init
    const members = [...trust.members()].filter(({ connection }) => !isRelayed(connection))
    if (members.some(({ connection }) => provesReach(connection))) return this.#settle('direct')
    const byPeer = new Map(members.map((each) => [peerIdText(each.member.publicKey), each]))
    const able = [...byPeer.values()].filter(({ member }) => servesRegistry(member.role))
    able.sort((a, b) => Number(isRegistryRole(b.member.role)) - Number(isRegistryRole(a.member.role)))
    let failed = 0
    for (const { connection } of able.slice(0, asked)) {
      const answer = await this.#ask(connection, signal)
      if (answer === 'reached') return this.#settle('direct')
      if (answer === 'failed') failed++
    }
    if (failed === 0 || failed < Math.min(wanted, able.length)) return this.#settle('unknown')
    this.#failed++
    return this.#failed < 2 || isRegistryRole(role) ? 'unknown' : 'outbound'
  }

  #settle(reach: Reach): Reach {
    this.#failed = 0
    return reach
  }

  async #ask(connection: Connection, signal: AbortSignal): Promise<Answer> {
    const { announced, networkId, limits, logger } = this.#init
    let answer: Answer = 'unknown'
    for (const addr of announced()) {
      try {
        if (await probe(connection, addr, { networkId, limits, signal })) return 'reached'
        answer = 'failed'
      } catch (error) {
        logger.debug(
          { peer: connection.remotePeer.toString(), error: String(error) },
          'a member could not say whether it can dial this node; others are asked'
        )
      }
    }
    return answer
  }
}
