import { socketParts } from '../../address/spelling.ts'
import { NameServer } from '../../dns/name-server.ts'
import { Gcra } from '../../protocols/engine/rate-limiter.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { finished, type Running, type Supervisor } from '../../runtime/supervisor.ts'
import type { NodeParts } from '../node-parts.ts'
import { answerNames } from './answers.ts'
import { type NamedNetwork, NetworkNames } from './network-names.ts'

/** A port that another process has is tried again so often. */
const retryMs = 5_000
/** Questions at once, and the time in which as many more may follow: what a browser and a mail server ask together is far less. */
const questions = { count: 1_000, perMs: 1_000 }

/** Words of the codes that metrics tell apart. */
const codeWords = ['noerror', 'formerr', 'servfail', 'nxdomain', 'notimp', 'refused'] as const

/** Resolver of the names of members on loopback. The node itself never asks it: whom it dials comes from records. */
export class NameResolver {
  readonly #node: Pick<NodeParts, 'config' | 'key' | 'logging' | 'changed'>
  readonly #names: NetworkNames
  readonly #listen: string
  readonly #rate = new Gcra(questions)
  readonly #answered = new Map<string, number>(codeWords.map((word) => [word, 0]))
  #dropped = 0
  #server: NameServer | undefined
  #running: Running | undefined

  constructor(node: Pick<NodeParts, 'config' | 'key' | 'logging' | 'changed'>, network: NamedNetwork, listen: string) {
    this.#node = node
    this.#names = new NetworkNames(node, network)
    this.#listen = listen
  }

  /** As resolvers want it: `[::1]:5335`; undefined while it does not listen. */
  get address(): string | undefined {
    return this.#server?.address
  }

  get domain(): string {
    return this.#names.domain
  }

  /** Answers so far, by the word of their code. */
  get answered(): ReadonlyMap<string, number> {
    return this.#answered
  }

  /** Questions that were not looked at, as there were too many. */
  get dropped(): number {
    return this.#dropped
  }

  start(services: Supervisor): void {
    const round = async (): Promise<typeof finished> => {
      await this.#open()
      return finished
    }
    this.#running = services.run('names', { everyMs: retryMs, firstMs: 0, round })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    await this.#server?.[Symbol.asyncDispose]()
  }

  async #open(): Promise<void> {
    const { host, port } = socketParts(this.#listen)
    const { logger } = this.#node.logging
    try {
      this.#server = await NameServer.start({
        host,
        port,
        answer: (query) => answerNames(this.#names, query),
        takes: () => this.#takes(),
        onAnswer: (rcode) => this.#count(codeWords[rcode] ?? 'servfail')
      })
      const { address } = this.#server
      logger.info({ address, domain: this.domain }, `names of members are answered at ${address}`)
    } catch (error) {
      logger.warn(
        { address: this.#listen, error: reasonOf(error) },
        'names of members are not answered: the port cannot be opened (dns.listen); all else goes on, and it is tried again'
      )
      throw error
    } finally {
      this.#node.changed()
    }
  }

  #takes(): boolean {
    const isTaken = this.#rate.take('') === 0
    if (!isTaken) this.#dropped++
    return isTaken
  }

  #count(word: string): void {
    this.#answered.set(word, (this.#answered.get(word) ?? 0) + 1)
  }
}
