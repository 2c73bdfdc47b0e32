import { randomBytes } from 'node:crypto'
import { linkDevices } from '../../address/announced-addresses.ts'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { Culprits } from '../../protocols/engine/culprits.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Registry } from '../../registry/registry.ts'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import type { Running, Supervisor } from '../../runtime/supervisor.ts'
import type { Config } from '../config/schema.ts'
import type { Logging } from '../logging.ts'
import type { KnownCandidate, Resolver } from '../resolve/resolver.ts'
import { Hints, type LinkSource } from './hints.ts'
import { LinkSocket } from './link-socket.ts'
import { announcement, type Heard, linkTag, mayBeOf, question, readPacket } from './packets.ts'

/** The node as it is seen from its links. */
export interface LinkNode {
  readonly config: Pick<Config, 'announce' | 'protocols'>
  readonly clock: Clock
  readonly logging: Pick<Logging, 'logger'>
  /** Network id of the invite or the configuration. */
  readonly pin: Uint8Array | undefined
  /** undefined: it was not found yet. */
  readonly network: LinkedNetwork | undefined
  changed(): void
}

interface LinkedNetwork {
  readonly registry: Pick<Registry, 'networkId'>
  readonly trust: Pick<ConnectionTrust, 'culprits' | 'members'>
  /** 0: it does not listen yet. */
  readonly port: number
  isMember(): boolean
}

/** The interfaces are looked at so often; a socket that was lost is opened again. */
const lookMs = 5_000
/** Spread of answers of many members to one question. */
const answerWithinMs = 120
/** Time that a search without any address waits for the first answer. */
const firstAnswerMs = 1_000
/** Addresses of one search. */
const mostOfSearch = 4

/**
 * Finds members on the links of this machine by multicast DNS, with DNS, registries and the Internet gone. It says a tag of the network
 * and a port, and what it hears are hints: whoever is dialled proves itself as everywhere.
 */
export class Link implements Resolver {
  readonly hints: Hints
  readonly #node: LinkNode
  readonly #instance = randomBytes(8).toString('hex')
  readonly #ofSource: Gcra
  readonly #ofAll: Gcra
  readonly #answers: Gcra
  readonly #questions: Gcra
  readonly #ownCulprits: Culprits
  readonly #waiting = new Set<() => void>()
  #socket: LinkSocket | undefined
  #running: Running | undefined
  #answer: NodeJS.Timeout | undefined
  #isStopped = false
  #heard = 0
  #dropped = 0

  constructor(node: LinkNode) {
    const { clock } = node
    const limits = node.config.protocols.link
    this.#node = node
    this.hints = new Hints(clock, limits)
    this.#ofSource = new Gcra(limits.ofPeer, { clock, maxKeys: 256 })
    this.#ofAll = new Gcra(limits.ofAll, { clock })
    this.#answers = new Gcra(limits.answers, { clock })
    this.#questions = new Gcra(limits.questions, { clock })
    this.#ownCulprits = new Culprits({ clock, logger: node.logging.logger })
  }

  /** Interfaces on whose links it listens; none while the port cannot be opened. */
  get devices(): readonly string[] {
    return this.#socket?.devices ?? []
  }

  /** Packets since the start: of this network, and those with its tag that were too many to be looked at. */
  get counts(): { heard: number; dropped: number; dialled: number; hints: number } {
    return { heard: this.#heard, dropped: this.#dropped, dialled: this.hints.dialled, hints: this.hints.size }
  }

  /** Again when the services of the process have begun anew. */
  async start(services: Supervisor): Promise<void> {
    await this.#running?.stop()
    if (!this.#isStopped)
      this.#running = services.run('link', { everyMs: lookMs, firstMs: 0, round: () => this.#look() })
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#answer)
    inBackground(this.#running?.stop(), 'ending the look at links')
    this.#socket?.close()
    this.#socket = undefined
  }

  /** Addresses of somebody of this network, members or strangers who say so. Asked for registries alone: nobody is named on a link. */
  async resolve(publicKey: Uint8Array | undefined, signal: AbortSignal): Promise<KnownCandidate[] | undefined> {
    if (publicKey !== undefined || this.#tag === undefined) return undefined
    this.search()
    if (this.hints.size === 0) await this.#firstHint(signal)
    return this.take().map((multiaddr) => ({ multiaddr, source: 'link' }))
  }

  answered(multiaddr: string): void {
    this.hints.proven(multiaddr)
  }

  /** Addresses that may be dialled now. */
  take(): string[] {
    const members = [...(this.#node.network?.trust.members() ?? [])]
    const connected = new Set(members.map(({ connection }) => connection.remotePeer.toString()))
    return this.hints.take(mostOfSearch, (peerId) => connected.has(peerId))
  }

  /** Asks who is there. */
  search(): void {
    const tag = this.#tag
    if (tag !== undefined && this.#socket !== undefined && this.#questions.take('') === 0)
      this.#socket.send(question(tag))
  }

  /** Tells the links where this node listens, once it is a member: who is none is dialled in vain. */
  announce(devices?: readonly string[]): void {
    const tag = this.#tag
    const { network } = this.#node
    const port = network?.isMember() === true ? network.port : 0
    if (tag === undefined || port === 0 || this.#answers.take('') > 0) return
    this.#socket?.send(announcement(tag, { instance: this.#instance, port }), devices)
  }

  get #tag(): string | undefined {
    const networkId = this.#node.network?.registry.networkId ?? this.#node.pin
    return networkId === undefined ? undefined : linkTag(networkId)
  }

  async #look(): Promise<void> {
    this.#socket ??= await this.#open()
    const found = linkDevices(await interfaceAddresses(), this.#node.config.announce.interfaces)
    const fresh = this.#socket?.follow(found) ?? []
    if (fresh.length === 0) return
    this.#node.changed()
    this.announce(fresh)
    this.search()
  }

  async #open(): Promise<LinkSocket | undefined> {
    const socket = await LinkSocket.open({
      onPacket: (bytes, from) => this.#take(bytes, from),
      onLost: () => {
        this.#socket = undefined
        this.#node.changed()
      }
    })
    if (!this.#isStopped) return socket
    socket.close()
    return undefined
  }

  #take(bytes: Buffer, from: LinkSource): void {
    const tag = this.#tag
    if (tag === undefined || !mayBeOf(bytes, tag) || !this.#isAllowed(from)) return
    const heard = readPacket(bytes, tag)
    if (heard === undefined || (heard.kind === 'listens' && heard.instance === this.#instance)) return
    this.#heard++
    this.#follow(heard, from)
  }

  #follow(heard: Heard, from: LinkSource): void {
    if (heard.kind === 'asks') {
      this.#answer ??= setTimeout(() => {
        this.#answer = undefined
        this.announce()
      }, Math.random() * answerWithinMs).unref()
      return
    }
    if (!this.hints.add(from, heard.port) && this.hints.hasAll(from)) this.#exceeded('link.hintsOfPeer', from)
    for (const wake of this.#waiting) wake()
  }

  /** A flood is not decoded, and named once a minute. */
  #isAllowed(from: LinkSource): boolean {
    const source = `${from.address}%${from.zone}`
    if (this.#ofSource.take(source) > 0) this.#exceeded('link.ofPeer', from)
    else if (this.#ofAll.take('') > 0) this.#exceeded('link.ofAll', { ...from, address: 'fe80::' })
    else return true
    this.#dropped++
    return false
  }

  #exceeded(limit: string, { address, zone }: LinkSource): void {
    const culprits = this.#node.network?.trust.culprits ?? this.#ownCulprits
    culprits.exceeded(limit, { address: `/ip6zone/${zone}/ip6/${address}` })
  }

  async #firstHint(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, firstAnswerMs).unref()
    this.#waiting.add(resolve)
    using _ = onAbort(signal, () => resolve())
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
    signal.throwIfAborted()
  }
}
