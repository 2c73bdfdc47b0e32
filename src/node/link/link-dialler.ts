import { peerIdText } from '../../identity/keys.ts'
import { closeConnection } from '../../protocols/engine/libraries/close-connection.ts'
import { either } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import { raceDial } from '../bootstrap/dial-race.ts'
import { waitForProof } from '../bootstrap/proof-wait.ts'
import type { Host } from '../host/host-services.ts'
import type { NetworkParts } from '../network-parts.ts'
import type { NodeParts } from '../node-parts.ts'
import type { Link } from './link.ts'

export interface LinkDiallerInit {
  readonly node: NodeParts
  readonly network: NetworkParts
  readonly host: Host
  readonly link: Link
}

const lookMs = 2_000
/** Connections with which a node finds all others by itself. */
const enough = 3
/** Pauses between questions of one that has less: it may be all that there is. */
const asks = { initialMs: 5_000, maxMs: 300_000 }

/** Dials whoever was heard on a link while this node has few connections to members. */
export class LinkDialler {
  readonly #init: LinkDiallerInit
  readonly #over = new AbortController()
  #running: Running | undefined
  #isAnnounced = false
  #askAt = 0
  #pauseMs: number = asks.initialMs

  constructor(init: LinkDiallerInit) {
    this.#init = init
  }

  start(services: Supervisor): void {
    const { link } = this.#init
    inBackground(link.start(services), 'listening on links')
    this.#running = services.run('link-dials', { everyMs: lookMs, round: (signal) => this.#look(signal) })
  }

  stop(): void {
    this.#over.abort(new Error('the node stops'))
    inBackground(this.#running?.stop(), 'ending the dials on links')
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { network, node, link } = this.#init
    const isMember = network.isMember()
    if (isMember && !this.#isAnnounced) link.announce()
    this.#isAnnounced = isMember
    if (!isMember || connectedTo(network).size >= enough) {
      this.#pauseMs = asks.initialMs
      this.#askAt = 0
      return
    }
    const now = node.clock.monotonic()
    if (now >= this.#askAt) {
      link.search()
      this.#askAt = now + this.#pauseMs
      this.#pauseMs = Math.min(asks.maxMs, 2 * this.#pauseMs)
    }
    const due = link.take()
    if (due.length === 0) return
    const living = either(signal, this.#over.signal)
    await Promise.all(due.map((multiaddr) => this.#dial(multiaddr, living)))
  }

  /** Ends in a proof of who is there, or is hung up. */
  async #dial(multiaddr: string, signal: AbortSignal): Promise<void> {
    const { node, network, host, link } = this.#init
    const before = connectedTo(network)
    try {
      const { connection } = await raceDial({ libp2p: host, gater: network.gater }, [{ multiaddr }], {
        dialTimeoutMs: node.config.bootstrap.dialTimeoutMs,
        signal,
        verify: (made, verifySignal) => waitForProof(host.services.hello, network.trust, made, verifySignal)
      })
      const member = network.trust.memberOf(connection)
      if (member === undefined) return
      link.hints.proven(multiaddr, peerIdText(member.publicKey))
      if (before.has(peerIdText(member.publicKey))) await closeConnection(connection)
      else network.registry.liveness.notes.learned(member.publicKey, 'link')
    } catch (error) {
      if (signal.aborted) return
      const fields = { ipv6_addr: multiaddr, error: reasonOf(error) }
      node.logging.logger.debug(fields, 'nobody of this network was reached where a link named somebody')
    }
  }
}

const connectedTo = ({ trust }: NetworkParts): ReadonlySet<string> =>
  new Set([...trust.members()].map(({ member }) => peerIdText(member.publicKey)))
