import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, PrivateKey, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { SigningKey } from '../../src/identity/keys.ts'
import { FrameStream } from '../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../src/protocols/engine/limits.ts'
import { Hello } from '../../src/protocols/hello/pb/hello.ts'
import { memberKey } from '../harness/members/members.ts'
import type { RootAddress } from '../processes/root.ts'
import type { Stage } from './attack.ts'

const enough = 1_000_000
const dialMs = 10_000
const { stream: streamLimits } = limitsWith()

export const idOf = (name: string): string => `/trustnet/${name}/1.0.0`

/** What a host says that it speaks, it takes and throws away. */
const sink = (stream: Stream): void => stream.addEventListener('message', () => {})

async function hostOf(privateKey: PrivateKey, { signal, tally }: Stage): Promise<Libp2p> {
  const host = await createLibp2p({
    privateKey,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxOutboundStreams: enough })],
    connectionManager: { reconnectRetries: 0, maxConnections: enough },
    connectionMonitor: { enabled: false },
    services: { identify: identify() }
  })
  tally.who.add(host.peerId.toString())
  signal.addEventListener('abort', () => void host.stop(), { once: true })
  return host
}

/** A host with a key that nobody knows. */
export class Stranger {
  readonly #host: Libp2p
  readonly #target: RootAddress
  #connection: Connection | undefined

  private constructor(host: Libp2p, target: RootAddress) {
    this.#host = host
    this.#target = target
  }

  static async start(privateKey: PrivateKey, stage: Stage): Promise<Stranger> {
    // Whoever sends before its key is proven is named by its /64, which all have on loopback.
    stage.tally.who.add('/ip6/0000:0000:0000:0000::/ipcidr/64')
    return new Stranger(await hostOf(privateKey, stage), stage.target)
  }

  /** A new one when the last was closed. */
  async connection(): Promise<Connection> {
    if (this.#connection?.status !== 'open') {
      const signal = AbortSignal.timeout(dialMs)
      this.#connection = await this.#host.dial(multiaddr(this.#target.address), { force: true, signal })
    }
    return this.#connection
  }
}

/** A libp2p host with a member's key and none of the product's manners. */
export class HostileMember {
  readonly key: SigningKey
  readonly host: Libp2p
  readonly #target: RootAddress
  #connection: Connection | undefined

  private constructor(key: SigningKey, host: Libp2p, target: RootAddress) {
    this.key = key
    this.host = host
    this.#target = target
  }

  static async start(number: number, stage: Stage, protocols: readonly string[] = []) {
    const key = memberKey(number)
    const host = await hostOf(key.toLibp2p(), stage)
    const { target } = stage
    for (const protocol of protocols) await host.handle(protocol, sink)
    return new HostileMember(key, host, target)
  }

  get networkId(): Uint8Array {
    return this.#target.networkId
  }

  /** One that has proved its membership; a new one when the last was closed. */
  async connection(): Promise<Connection> {
    if (this.#connection?.status !== 'open') this.#connection = await this.dial()
    return this.#connection
  }

  /** Another connection beside those that are open. */
  async dial(): Promise<Connection> {
    const signal = AbortSignal.timeout(dialMs)
    const connection = await this.host.dial(multiaddr(this.#target.address), { force: true, signal })
    const frames = new FrameStream(await connection.newStream(idOf('hello')), {
      maxFrame: 65_536,
      limits: streamLimits
    })
    await frames.write(Hello.encode({ version: 1, networkId: this.networkId }))
    await frames.read({ signal })
    await frames.close()
    return connection
  }

  async open(protocol: string): Promise<Stream> {
    return await (await this.connection()).newStream(protocol, { maxOutboundStreams: enough })
  }
}

/** How a stream ends: what was said first, or nothing. */
export const endOf = async (stream: Stream): Promise<'answered' | 'reset' | 'closed'> => {
  let said = false
  return await new Promise((resolve) => {
    stream.addEventListener('message', () => {
      said = true
    })
    stream.addEventListener('remoteCloseWrite', () => resolve(said ? 'answered' : 'closed'))
    stream.addEventListener('close', ({ error }) => resolve(error === undefined ? 'closed' : 'reset'))
  })
}

/** Sends, and waits where the other side takes nothing. */
export const push = async (stream: Stream, bytes: Uint8Array, signal: AbortSignal): Promise<void> => {
  if (stream.send(bytes)) return
  await new Promise<void>((resolve) => {
    const done = (): void => resolve()
    stream.addEventListener('drain', done, { once: true })
    stream.addEventListener('close', done, { once: true })
    signal.addEventListener('abort', done, { once: true })
  })
}

/** Does it again and again, in so many lanes, until the attack is over; what fails is counted by its name. */
export const again = async (
  { signal, tally }: Stage,
  lanes: number,
  act: (lane: number) => Promise<void>
): Promise<void> => {
  const lane = async (number: number): Promise<void> => {
    while (!signal.aborted) {
      try {
        await act(number)
      } catch (error) {
        if (!signal.aborted) tally.meet(error instanceof Error ? error.name : 'unknown')
      }
      await new Promise(setImmediate)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
}

/** Resolves after so long, or when the attack is over. */
export const rest = async (ms: number, signal: AbortSignal): Promise<void> => {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => resolve(), { once: true })
    timer.unref()
  })
}
