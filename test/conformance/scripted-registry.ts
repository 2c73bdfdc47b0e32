import type { Connection, Stream } from '@libp2p/interface'
import { FrameParser } from '../../src/protocols/engine/frame-parser.ts'
import { FrameStream } from '../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../src/protocols/engine/limits.ts'
import { TestNetwork } from '../helpers/network.ts'

const protocols = ['hello', 'register', 'sync', 'lookup', 'probe'] as const

type Protocol = (typeof protocols)[number]

/** A stream that the client opened, with the frames that came on it so far. */
interface SeenStream {
  readonly protocol: Protocol
  readonly connection: Connection
  readonly frames: { readonly bytes: Uint8Array; readonly atMs: number }[]
  /** Why its bytes are no frames. */
  fault?: Error
}

/** Answers a stream in the place of the registry; undefined lets the registry do it. */
type Script = (stream: SeenStream) => ((frames: FrameStream) => Promise<void>) | undefined

interface Handlers {
  getHandler(protocol: string): {
    handler: (stream: Stream, connection: Connection) => void | Promise<void>
    options: object
  }
}

const maxFrame = 262_144

/** The root of a network of its own, which sees all that a client sends, and answers by a script where there is one. */
export class ScriptedRegistry implements AsyncDisposable {
  readonly network: TestNetwork
  readonly seen: SeenStream[] = []
  readonly #scripts = new Map<Protocol, Script>()
  readonly #waitMs: number

  private constructor(network: TestNetwork, waitMs: number) {
    this.network = network
    this.#waitMs = waitMs
  }

  /** `waitMs`: how long the client has for each thing that it must do. */
  static async open(waitMs: number): Promise<ScriptedRegistry> {
    const network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const registry = new ScriptedRegistry(network, waitMs)
    for (const protocol of protocols) await registry.#watch(protocol)
    return registry
  }

  get root() {
    return this.network.node('root')
  }

  script(protocol: Protocol, script?: Script): void {
    if (script === undefined) this.#scripts.delete(protocol)
    else this.#scripts.set(protocol, script)
  }

  /** @throws Error after the time that the client has */
  async until<T>(what: string, find: () => T | undefined | false, waitMs = this.#waitMs): Promise<T> {
    const deadline = performance.now() + waitMs
    for (;;) {
      const found = find()
      if (found !== undefined && found !== false) return found
      if (performance.now() > deadline) throw new Error(`${what} did not come within ${waitMs / 1000} s`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** The next stream of a protocol with a frame on it, behind those that were there. */
  next(protocol: Protocol, after = this.seen.length): Promise<SeenStream> {
    const find = () => this.seen.slice(after).find((each) => each.protocol === protocol && each.frames.length > 0)
    return this.until(`a frame of ${protocol}`, find)
  }

  async #watch(protocol: Protocol): Promise<void> {
    const id = `/trustnet/${protocol}/1.0.0`
    const host = this.root.libp2p
    const components: unknown = Reflect.get(host, 'components')
    const { registrar } = components as { registrar: Handlers }
    const { handler, options } = registrar.getHandler(id)
    const watched = (stream: Stream, connection: Connection): void | Promise<void> => {
      const seen: SeenStream = { protocol, connection, frames: [] }
      this.seen.push(seen)
      watchFrames(stream, seen)
      const answer = this.#scripts.get(protocol)?.(seen)
      if (answer === undefined) return handler(stream, connection)
      return answer(new FrameStream(stream, { maxFrame, limits: limitsWith().stream })).catch(() => {})
    }
    await host.handle(id, watched, { ...options, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.network[Symbol.asyncDispose]()
  }
}

function watchFrames(stream: Stream, seen: SeenStream): void {
  const parser = new FrameParser(maxFrame, (frame) => {
    seen.frames.push({ bytes: frame.slice(), atMs: performance.now() })
  })
  stream.addEventListener('message', ({ data }) => {
    try {
      if (seen.fault === undefined) parser.push(data.subarray().slice())
    } catch (error) {
      seen.fault = error instanceof Error ? error : new Error(String(error))
    }
  })
}
