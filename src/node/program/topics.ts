import type { TopicMessage } from '../../protocols/announce/index.ts'
import type { TrustedMember } from '../../protocols/engine/trust/connection-trust.ts'
import type { Registry } from '../../registry/registry.ts'
import { either } from '../../runtime/abort.ts'
import { NotFoundError, UnavailableError } from '../../runtime/errors.ts'
import { isLabel } from '../config/domain.ts'
import { ConfigError } from '../errors.ts'
import type { HostServices } from '../host/host-services.ts'
import { Inbox } from './inbox.ts'
import { bytesOf } from './requests.ts'

export interface MemberMessage {
  readonly member: TrustedMember
  readonly data: Uint8Array
}

/** A topic on which members whose programs have it tell each other short messages. Nothing is kept for who is away. */
export interface Topic {
  /** At most 1 KiB, and 50 in ten seconds on all topics. @throws LimitError; UnavailableError before the network was found, or without gossip */
  publish(data: Uint8Array | string): Promise<void>
  /** Yields what others say from now on; ends with the signal or the node. A reader that is 256 messages behind misses the oldest. */
  messages(options?: { signal?: AbortSignal }): AsyncGenerator<MemberMessage>
}

const mostTopics = 8
const mostWaiting = 256

/** The topics of a program, over all hosts that its node has. */
export class ProgramTopics {
  readonly names: readonly string[]
  readonly #readers = new Map<string, Set<(message: MemberMessage) => void>>()

  /** @throws ConfigError for a name that is none */
  constructor(names: readonly string[]) {
    const wrong = names.filter((name) => !isLabel(name)).map((name) => `the topic '${name}' is no name: ${labelRule}`)
    if (names.length > mostTopics) wrong.push(`${names.length} topics are more than ${mostTopics}`)
    if (wrong.length > 0) throw new ConfigError(wrong)
    this.names = [...new Set(names)]
    for (const name of this.names) this.#readers.set(name, new Set())
  }

  /** Gives a message to all who read its topic. */
  deliver({ topic, publicKey, data }: TopicMessage, { replica }: Pick<Registry, 'replica'>): void {
    const { name, role } = replica.state.member(publicKey) ?? {}
    if (name === undefined || role === undefined) return
    for (const reader of this.#readers.get(topic) ?? []) reader({ member: { publicKey, name, role }, data })
  }

  /** @throws NotFoundError for a topic that was not given at the start */
  topic(name: string, services: () => HostServices | undefined, over: AbortSignal): Topic {
    const readers = this.#readers.get(name)
    if (readers === undefined) {
      throw new NotFoundError(`there is no topic '${name}': name it in \`topics\` when the node is made`)
    }
    return {
      async publish(data) {
        const gossiping = services()?.topics
        if (gossiping === undefined) throw new UnavailableError('gossip is switched off (gossip.enabled)', 0)
        await gossiping.publish(name, bytesOf(data))
      },
      async *messages({ signal } = {}) {
        const inbox = new Inbox<MemberMessage>(mostWaiting)
        readers.add(inbox.add)
        try {
          yield* inbox.read(either(signal, over))
        } finally {
          readers.delete(inbox.add)
        }
      }
    }
  }
}

const labelRule = 'use a to z, 0 to 9 and inner hyphens, at most 63 characters'
