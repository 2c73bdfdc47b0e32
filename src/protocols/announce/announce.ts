import type { GossipSub, Message } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId, Startable } from '@libp2p/interface'
import { publicKeyOfPeerId } from '../../identity/keys.ts'
import { compareCheckpoints, type SignedPosition } from '../../registry/log/state/position.ts'
import type { Checkpoint } from '../../registry/objects/checkpoint.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import type { Clock, Logger } from '../../runtime/clock-and-logger.ts'
import type { Culprits } from '../engine/culprits.ts'
import { defaultLimits, type ProtocolLimits } from '../engine/limits.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import { type AnnouncementKind, encodeAnnouncement, encodeCosigned } from './message.ts'
import { announceTopic } from './options.ts'
import { changeDelayMs } from './schedule.ts'
import { type AnnounceSource, judge, type Verdict } from './validate.ts'

export interface AnnounceInit {
  source: AnnounceSource
  clock: Clock
  logger: Logger
  /** Names those who send what is not valid. */
  culprits: Culprits
  /** A registry announces each new head at once; others only if gossip has not brought it meanwhile. */
  isRegistry: boolean
  /** Somebody has a verified log above ours, or an epoch that we do not know: time to sync. */
  onNewerHead(checkpoint: Signed<Checkpoint>): void
  limits?: ProtocolLimits['announce']
}

export interface AnnounceComponents {
  pubsub: GossipSub
}

/** Gossip of node records and log heads among members. */
export interface Announce {
  readonly topic: string
  /** Announces the own record, when it has changed. The last one given wins. */
  announceRecord(envelope: Uint8Array): void
  /** Announces a log head that came by another way than gossip. */
  announceHead(checkpoint: Signed<Checkpoint>): void
  /** Announces the own word about a checkpoint, given by the hash of its payload. The last one given wins. */
  announceCosignature(hash: Uint8Array, cosignature: Uint8Array): void
  /** Members in the gossip mesh. */
  meshSize(): number
}

const verdicts: Record<Verdict, TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
}

/** Plain members wait this long, and as much again at random, for gossip to bring a head before they announce it themselves. */
const headPatienceMs = 1_000

/** gossipsub opens its stream to a new peer within a round trip or two, and tells nobody. */
const streamRetryMs = 50

/** A public property of gossipsub's class that its exported type leaves out. */
const hasStreams = (pubsub: GossipSub): pubsub is GossipSub & { streamsOutbound: ReadonlyMap<string, unknown> } =>
  'streamsOutbound' in pubsub && pubsub.streamsOutbound instanceof Map

interface Slot {
  envelope: Uint8Array
  timer?: NodeJS.Timeout
}

class AnnounceService implements Announce, Startable {
  readonly topic: string
  readonly #init: AnnounceInit
  readonly #components: AnnounceComponents
  readonly #limits: ProtocolLimits['announce']
  readonly #rate: Gcra
  /** Content that waits to be sent: at most one of each kind. */
  readonly #slots = new Map<AnnouncementKind, Slot>()
  #gossiped: SignedPosition = { epoch: -1, n: -1, timeMs: 0 }
  #headSentAt = Number.NEGATIVE_INFINITY
  #cosignedAt = Number.NEGATIVE_INFINITY
  #running = false

  constructor(components: AnnounceComponents, init: AnnounceInit) {
    this.#components = components
    this.#init = init
    this.#limits = init.limits ?? defaultLimits.announce
    this.topic = announceTopic(init.source.networkId)
    this.#rate = new Gcra(this.#limits.author, { clock: init.clock, maxKeys: this.#limits.authors })
  }

  isStarted(): boolean {
    return this.#running
  }

  start(): void {
    this.#running = true
  }

  /** All services have started: gossipsub can take a subscription. */
  afterStart(): void {
    const { pubsub } = this.#components
    pubsub.topicValidators.set(this.topic, (peer, message) => this.#validate(peer, message))
    pubsub.addEventListener('subscription-change', this.#onSubscriber)
    pubsub.subscribe(this.topic)
  }

  beforeStop(): void {
    const { pubsub } = this.#components
    this.#running = false
    for (const slot of this.#slots.values()) clearTimeout(slot.timer)
    this.#slots.clear()
    pubsub.removeEventListener('subscription-change', this.#onSubscriber)
    pubsub.unsubscribe(this.topic)
    pubsub.topicValidators.delete(this.topic)
  }

  stop(): void {
    this.#running = false
  }

  announceRecord(envelope: Uint8Array): void {
    this.#schedule('record', envelope, changeDelayMs(this.#members, Math.random()))
  }

  announceHead(checkpoint: Signed<Checkpoint>): void {
    if (this.#isGossiped(checkpoint.value)) return
    const sinceMs = this.#init.clock.monotonic() - this.#headSentAt
    const coalesceMs = Math.max(0, this.#limits.headMs - sinceMs)
    const patienceMs = this.#init.isRegistry ? 0 : headPatienceMs * (1 + Math.random())
    this.#schedule('head', checkpoint.bytes, coalesceMs + patienceMs, () => !this.#isGossiped(checkpoint.value))
  }

  announceCosignature(hash: Uint8Array, cosignature: Uint8Array): void {
    const sinceMs = this.#init.clock.monotonic() - this.#cosignedAt
    const delayMs = Math.max(0, this.#limits.headMs - sinceMs)
    this.#schedule('cosignatures', encodeCosigned({ hash, cosignatures: [cosignature] }), delayMs)
  }

  meshSize(): number {
    return this.#components.pubsub.getSubscribers(this.topic).length
  }

  get #members(): number {
    return this.#init.source.replica.state.memberCount
  }

  async #validate(peer: PeerId, message: Message): Promise<TopicValidatorResult> {
    if (message.type !== 'signed') return TopicValidatorResult.Ignore
    const { promise: timeout, resolve } = Promise.withResolvers<Verdict>()
    const timer = setTimeout(() => resolve('ignore'), this.#limits.verdictMs)
    try {
      return verdicts[await Promise.race([this.#judgeFrom(peer, message), timeout])]
    } catch {
      return TopicValidatorResult.Ignore
    } finally {
      clearTimeout(timer)
    }
  }

  /** Judges a message and names a member that sends one which is wrong by itself: whoever passed it on has looked at it. */
  async #judgeFrom(peer: PeerId, { data, from }: Pick<Message, 'data'> & { from: PeerId }): Promise<Verdict> {
    const verdict = await this.#judge(data, from, peer)
    if (verdict === 'reject') this.#init.culprits.exceeded('announce.invalid', { peer: peer.toString() })
    return verdict
  }

  async #judge(data: Uint8Array, from: PeerId, peer: PeerId): Promise<Verdict> {
    const author = { text: from.toString(), publicKey: publicKeyOfPeerId(from) }
    return await judge(data, author, {
      source: this.#init.source,
      limits: this.#limits,
      logger: this.#init.logger,
      allow: (key) => this.#rate.take(key) === 0 || this.#namesAuthor(key, peer),
      onNewerHead: (checkpoint) => {
        // Anybody can sign a head of an epoch that nobody knows: it must not stand in the way of ours.
        if (this.#init.source.replica.logKeyOf(checkpoint.value.epoch) !== undefined) this.#sawHead(checkpoint.value)
        this.#init.onNewerHead(checkpoint)
      }
    })
  }

  /** Names an author that announces too much and brings it here itself: who passes it on may have had more patience. */
  #namesAuthor(author: string, peer: PeerId): false {
    if (peer.toString() === author) this.#init.culprits.exceeded('announce.author', { peer: author })
    return false
  }

  #sawHead({ epoch, n, timeMs }: SignedPosition): void {
    if (!this.#isGossiped({ epoch, n, timeMs })) this.#gossiped = { epoch, n, timeMs }
  }

  #isGossiped(position: SignedPosition): boolean {
    return compareCheckpoints(this.#gossiped, position) >= 0
  }

  #schedule(kind: AnnouncementKind, envelope: Uint8Array, delayMs: number, stillDue: () => boolean = () => true): void {
    if (!this.#running) return
    clearTimeout(this.#slots.get(kind)?.timer)
    const timer = setTimeout(() => {
      if (stillDue()) this.#flush(kind)
      else this.#slots.delete(kind)
    }, delayMs)
    timer.unref()
    this.#slots.set(kind, { envelope, timer })
  }

  /** Without a subscriber it waits for one: a message that went to nobody would count as published for two minutes. */
  #flush(kind: AnnouncementKind): void {
    const slot = this.#slots.get(kind)
    if (slot === undefined) return
    delete slot.timer
    if (this.meshSize() === 0) return
    if (!this.#isReachable()) {
      slot.timer = setTimeout(() => this.#flush(kind), streamRetryMs).unref()
      return
    }
    this.#slots.delete(kind)
    if (kind === 'cosignatures') this.#cosignedAt = this.#init.clock.monotonic()
    if (kind === 'head') this.#headSentAt = this.#init.clock.monotonic()
    this.#publish(kind, slot.envelope).catch((error: Error) => {
      this.#init.logger.warn({ error: error.message }, `the own ${kind} was not announced; others get it by sync`)
    })
  }

  /** A subscriber is known a moment before there is a stream to it, and what is published then goes nowhere, once and for all. */
  #isReachable(): boolean {
    const { pubsub } = this.#components
    if (!hasStreams(pubsub)) return true
    return pubsub.getSubscribers(this.topic).some((peer) => pubsub.streamsOutbound.has(peer.toString()))
  }

  async #publish(kind: AnnouncementKind, envelope: Uint8Array): Promise<void> {
    const message = encodeAnnouncement({ kind, envelope })
    if (message.length > this.#limits.messageBytes) {
      throw new RangeError(`${message.length} bytes are more than the ${this.#limits.messageBytes} that others accept`)
    }
    await this.#components.pubsub.publish(this.topic, message)
  }

  readonly #onSubscriber = (): void => {
    for (const [kind, slot] of this.#slots) if (slot.timer === undefined) this.#flush(kind)
  }
}

/** The service that announces. It needs gossipsub as the service `pubsub`, with `gossipOptions()` and behind `membersOnly()`. */
export function announce(init: AnnounceInit): (components: AnnounceComponents) => Announce & Startable {
  return (components) => new AnnounceService(components, init)
}
