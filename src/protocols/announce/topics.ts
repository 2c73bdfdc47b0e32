import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId, Startable } from '@libp2p/interface'
import { publicKeyOfPeerId } from '../../identity/keys.ts'
import type { Clock } from '../../runtime/clock-and-logger.ts'
import { LimitError } from '../../runtime/errors.ts'
import type { Culprits } from '../engine/culprits.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { Gcra } from '../engine/rate-limiter.ts'
import { appTopic } from './options.ts'

/** A message of a member, signed by its key. */
export interface TopicMessage {
  /** Name that the program has given the topic. */
  readonly topic: string
  readonly publicKey: Uint8Array
  readonly data: Uint8Array
}

export interface TopicsInit {
  readonly networkId: Uint8Array
  readonly names: readonly string[]
  readonly limits: ProtocolLimits['announce']
  readonly clock: Clock
  readonly culprits: Culprits
  isMember(publicKey: Uint8Array): boolean
  onMessage(message: TopicMessage): void
}

/** Topics of the program, on which members tell each other short messages. */
export interface Topics {
  /** Signs it and gives it to those members that have the topic. @throws LimitError when it is too long or one too many */
  publish(topic: string, data: Uint8Array): Promise<void>
}

interface TopicsComponents {
  pubsub: GossipSub
}

class TopicsService implements Topics, Startable {
  readonly #init: TopicsInit
  readonly #components: TopicsComponents
  readonly #heard: Gcra
  readonly #said: Gcra
  /** Names by gossipsub's topic. */
  readonly #names: ReadonlyMap<string, string>

  constructor(components: TopicsComponents, init: TopicsInit) {
    this.#components = components
    this.#init = init
    this.#names = new Map(init.names.map((name) => [appTopic(init.networkId, name), name]))
    const { clock, limits } = init
    const { count, perMs } = limits.topicAuthor
    this.#heard = new Gcra(limits.topicAuthor, { clock, maxKeys: limits.authors })
    this.#said = new Gcra({ count: Math.ceil(count / 2), perMs }, { clock })
  }

  start(): void {}

  /** All services have started: gossipsub can take a subscription. */
  afterStart(): void {
    const { pubsub } = this.#components
    pubsub.addEventListener('message', this.#onMessage)
    for (const topic of this.#names.keys()) {
      pubsub.topicValidators.set(topic, (peer, message) => this.#judge(peer, message))
      pubsub.subscribe(topic)
    }
  }

  beforeStop(): void {
    const { pubsub } = this.#components
    pubsub.removeEventListener('message', this.#onMessage)
    for (const topic of this.#names.keys()) {
      pubsub.unsubscribe(topic)
      pubsub.topicValidators.delete(topic)
    }
  }

  stop(): void {}

  async publish(topic: string, data: Uint8Array): Promise<void> {
    const { limits, networkId } = this.#init
    if (data.length > limits.topicBytes) {
      throw new LimitError(
        `${data.length} bytes are more than the ${limits.topicBytes} of a message on a topic: open a stream`
      )
    }
    const waitMs = this.#said.take('')
    if (waitMs > 0)
      throw new LimitError(`too many messages on topics: the next one may be sent in ${Math.ceil(waitMs)} ms`)
    await this.#components.pubsub.publish(appTopic(networkId, topic), data)
  }

  #judge(peer: PeerId, message: Message): TopicValidatorResult {
    const { limits, culprits } = this.#init
    if (message.type !== 'signed') return TopicValidatorResult.Ignore
    if (message.data.length > limits.topicBytes) {
      culprits.exceeded('announce.topicBytes', { peer: peer.toString() })
      return TopicValidatorResult.Reject
    }
    if (!this.#init.isMember(publicKeyOfPeerId(message.from))) return TopicValidatorResult.Ignore
    const author = message.from.toString()
    if (this.#heard.take(author) === 0) return TopicValidatorResult.Accept
    if (peer.toString() === author) culprits.exceeded('announce.topicAuthor', { peer: author })
    return TopicValidatorResult.Ignore
  }

  readonly #onMessage = ({ detail }: CustomEvent<Message>): void => {
    const topic = this.#names.get(detail.topic)
    if (topic === undefined || detail.type !== 'signed') return
    this.#init.onMessage({ topic, publicKey: publicKeyOfPeerId(detail.from), data: detail.data })
  }
}

/** The service of a program's topics. It needs gossipsub as the service `pubsub`, with `gossipOptions()` for the same topics. */
export const topics =
  (init: TopicsInit) =>
  (components: TopicsComponents): Topics & Startable =>
    new TopicsService(components, init)
