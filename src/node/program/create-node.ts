import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import type { Libp2p, ServiceMap, StreamHandlerOptions } from '@libp2p/interface'
import { either } from '../../runtime/abort.ts'
import { parseConfig } from '../config/index.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { Host } from '../host/host-services.ts'
import type { LibraryMetrics } from '../host/libp2p.ts'
import { createLogging, type LogOutput } from '../logging.ts'
import { followMembers, type MemberEvent } from '../member-events.ts'
import { TrustNode } from '../node.ts'
import type { Node } from '../node-interface.ts'
import { type CreatedNetwork, type CreateNetworkOptions, createNetworkHere } from '../offline/create-network.ts'
import { type ConfigValues, overridesOf } from './config-values.ts'
import { Inbox } from './inbox.ts'
import type { PartFactory } from './program.ts'
import { answering, asking, type RequestHandler, type RequestOptions } from './requests.ts'
import type { Topic } from './topics.ts'

export interface NodeFolder {
  /** Folder of the node's key and database, made where it is missing. One folder is one node. */
  folder: string
  /** Values by the names of `Config`; what ends in `Ms` is in ms. What is left out keeps its default. No file and no environment is read. */
  config?: ConfigValues
}

export interface CreateNodeOptions<S extends ServiceMap = ServiceMap> extends NodeFolder {
  /** Line of an invite, which a first start needs. */
  invite?: string
  /** Names of the topics on which the program hears and speaks, at most 8. */
  topics?: readonly string[]
  /** Takes the log, lines of JSON: `process.stderr` does. Default: nobody. */
  log?: LogOutput
  /** Parts of libp2p of the program's own. The services see members alone. */
  libp2p?: {
    readonly services?: { readonly [K in keyof S]: PartFactory<S[K]> }
    readonly metrics?: LibraryMetrics
  }
  /** Opens the socket at which `trustnet` commands ask this node, in `run` of the folder. Default: false. */
  control?: boolean
}

/** A node of a TrustNet network, in this process, with what a program does on it. */
export interface ProgramNode<S extends ServiceMap = ServiceMap>
  extends Omit<Node, 'libp2p' | 'registry' | 'trust' | 'stopSteps'> {
  /** The libp2p host; throws UnavailableError until the network was found. */
  readonly libp2p: Libp2p<S>
  /** Events of the other members. */
  readonly members: NodeMembers
  /** A topic that was named when the node was made. @throws NotFoundError */
  topic(name: string): Topic
  /** Serves a protocol of one request and one answer to members; may be called before `start`. */
  answer(protocol: string, handler: RequestHandler, options?: AnswerOptions): Promise<void>
  /** Asks a member, by its name or PeerId, and gives its answer; connects first where needed. @throws UnavailableError without an answer */
  request(peer: string, protocol: string, request: Uint8Array | string, options?: RequestOptions): Promise<Uint8Array>
}

export type AnswerOptions = StreamHandlerOptions & Pick<RequestOptions, 'maxBytes'>

export interface NodeMembers {
  /** Yields what happens from now on; ends with the signal or the node. A reader that is 1,024 events behind misses the oldest. */
  changes(options?: { signal?: AbortSignal }): AsyncGenerator<MemberEvent>
}

const mostWaiting = 1024

class EmbeddedNode<S extends ServiceMap> extends TrustNode implements ProgramNode<S> {
  override get libp2p(): Host & Libp2p<S> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its host is made with the services of S
    return super.libp2p as Host & Libp2p<S>
  }

  readonly members: NodeMembers = { changes: ({ signal } = {}) => this.#changes(signal) }

  topic(name: string): Topic {
    return this.program.topics.topic(name, () => this.attached.services, this.signal)
  }

  async answer(protocol: string, handler: RequestHandler, { maxBytes, ...options }: AnswerOptions = {}): Promise<void> {
    await this.handle(protocol, answering(handler, maxBytes === undefined ? {} : { maxBytes }), options)
  }

  async request(
    peer: string,
    protocol: string,
    request: Uint8Array | string,
    options: RequestOptions = {}
  ): Promise<Uint8Array> {
    const { signal } = options
    return await asking(await this.openStream(peer, protocol, signal && { signal }), request, { ...options, peer })
  }

  async *#changes(signal?: AbortSignal): AsyncGenerator<MemberEvent> {
    const inbox = new Inbox<MemberEvent>(mostWaiting)
    const stop = followMembers(this, inbox.add)
    try {
      yield* inbox.read(either(signal, this.signal))
    } finally {
      stop()
    }
  }
}

/** Makes a node; nothing runs before `start`. @throws ConfigError, KeyFileError */
export async function createNode<S extends ServiceMap = ServiceMap>(
  options: CreateNodeOptions<S>
): Promise<ProgramNode<S>> {
  const { invite, topics, libp2p, control = false, log } = options
  const config = configIn(options)
  const output = log ?? new Writable({ write: (_line, _encoding, done) => done() })
  const logging = createLogging({ node: config.name, level: config.logging.level, format: 'json', output })
  return new EmbeddedNode<S>({
    config,
    invite,
    logging,
    control,
    program: { topics, libp2p }
  })
}

/**
 * Makes a network whose root is the node of this folder, with its keys and recovery kits in it.
 *
 * @throws ConfigError when there is a network already, here or behind `tnr.<domain>`
 */
export async function createNetwork({
  folder,
  config,
  ...options
}: NodeFolder & CreateNetworkOptions): Promise<CreatedNetwork> {
  return await createNetworkHere(configIn({ folder, config: { ...config, role: 'root' } }), options)
}

function configIn({ folder, config = {} }: NodeFolder): Config {
  if (!folder) throw new ConfigError(['`folder` is empty: name the folder for the key and the database of the node'])
  const data = resolve(folder)
  const homes = { config: data, data, runtime: join(data, 'run') }
  return parseConfig({ flags: { 'paths.data': data, ...overridesOf(config) }, env: {}, homes, flagsFrom: 'config' })
    .config
}
