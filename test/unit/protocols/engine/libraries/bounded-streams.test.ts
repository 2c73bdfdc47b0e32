import type { Connection, Stream } from '@libp2p/interface'
import { StreamMessageEvent } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { TypedEventEmitter } from 'main-event'
import { beforeEach, describe, expect, it } from 'vitest'
import { peerIdText, SigningKey } from '../../../../../src/identity/keys.ts'
import { BoundedStreams, type StreamBounds } from '../../../../../src/protocols/engine/libraries/bounded-streams.ts'
import { limitsWith } from '../../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../../src/protocols/engine/trust/connection-trust.ts'

const hour = 3_600_000

/** A stream of which only the reading side is there. */
class ReadSide extends TypedEventEmitter<{ message: StreamMessageEvent; close: Event }> {
  readonly given: number[] = []
  readStatus = 'readable'
  abortedBy: string | undefined

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
  }

  abort({ name }: Error): void {
    this.abortedBy = name
  }

  came(...bytes: number[]): this {
    this.dispatchEvent(new StreamMessageEvent(Uint8Array.from(bytes)))
    return this
  }

  /** The library begins to read. */
  read(): this {
    this.addEventListener('message', ({ data }) => this.given.push(data.byteLength))
    return this
  }
}

const connectionOf = (key = SigningKey.generate()): Connection => {
  const remotePeer = { toString: () => peerIdText(key.publicKey), publicKey: { raw: key.publicKey } }
  const shape = { id: 'a', remotePeer, remoteAddr: multiaddr('/ip6/2001:db8::1/tcp/40000'), direction: 'inbound' }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is looked at is there
  return shape as unknown as Connection
}

const { strangers } = limitsWith()
let trust: ConnectionTrust

beforeEach(() => {
  trust = new ConnectionTrust({ limits: strangers, settleMs: 1_000 })
})

const exceeded = (): string[] => trust.culprits.counts.map(({ limit }) => limit)

/** Opens a stream that the library reads where it was taken. */
const open = (streams: BoundedStreams, connection: Connection, isOurs = false): ReadSide => {
  const side = new ReadSide()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is looked at is there
  const stream = side as unknown as Stream
  if (isOurs) streams.opened(stream, connection)
  else streams.accept(stream, connection)
  return side.read()
}

const bounded = (bounds: Omit<StreamBounds, 'section'>) => new BoundedStreams(trust, { section: 'ping', ...bounds })

describe('the streams of a library', () => {
  it('are refused beyond their rate, for each peer by itself, and whoever does it is named', () => {
    const streams = bounded({ opens: { count: 2, perMs: hour } })
    const [ann, bob] = [connectionOf(), connectionOf()]
    expect([1, 2, 3].map(() => open(streams, ann).abortedBy)).toEqual([undefined, undefined, 'RateLimitedError'])
    expect(open(streams, bob).abortedBy).toBeUndefined()
    expect(exceeded()).toEqual(['ping.opens'])
  })

  it('end at a message that is too long, which the library never has', () => {
    const streams = bounded({ frameBytes: 4 })
    for (const isOurs of [false, true]) {
      const side = open(streams, connectionOf(), isOurs).came(2, 7, 7).came(5)
      expect([side.given, side.abortedBy]).toEqual([[3], 'FrameTooLargeError'])
    }
    expect(exceeded()).toEqual(['ping.frameBytes'])
  })

  it('give whole what comes within the bounds, also a message in many parts', () => {
    const side = open(bounded({ frameBytes: 100 }), connectionOf())
      .came(3)
      .came(7)
      .came(7, 7, 1, 7)
    expect([side.given, side.abortedBy]).toEqual([[1, 1, 4], undefined])
  })

  it('wait for as long as their peer owes, on whatever stream it comes again', () => {
    const streams = bounded({ inbound: { count: 1, perMs: hour }, leastBytes: 1_024, frameBytes: 100 })
    const connection = connectionOf()
    const first = open(streams, connection).came(1, 7).came(1, 7)
    expect(first.given).toEqual([2, 2])
    expect(open(streams, connection).came(1, 7).given).toEqual([])
    expect(open(streams, connectionOf()).came(1, 7).given).toEqual([2])
    // An hour of debt is more than three seconds a minute.
    expect(exceeded()).toEqual(['ping.inbound'])
  })
})
