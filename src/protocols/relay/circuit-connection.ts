import type { AbortOptions, Logger, MultiaddrConnection, Stream } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Uint8ArrayList } from 'uint8arraylist'
import { AlteredFrameError, StreamEndedError } from '../engine/errors.ts'
import { resumeStream } from '../engine/resume-stream.ts'

export interface CircuitConnectionInit {
  /** Paused. */
  stream: Stream
  /** Bytes that came before. */
  rest: Uint8Array
  direction: 'inbound' | 'outbound'
  remoteAddr: Multiaddr
  log: Logger
  /** Told when what came is not what the other end has sent. */
  onAltered: () => void
}

/** A stream to a relay as the connection to whoever is behind it. */
class CircuitConnection extends AbstractMultiaddrConnection {
  /** The layer below, whose bytes wait for the member behind the relay. */
  readonly stream: Stream
  readonly #onAltered: () => void

  constructor({ stream, rest, onAltered, ...init }: CircuitConnectionInit) {
    super(init)
    this.stream = stream
    this.#onAltered = onAltered
    stream.addEventListener('close', ({ error }) => this.onTransportClosed(error))
    stream.addEventListener('remoteCloseWrite', () => {
      this.onRemoteCloseWrite()
      this.close().catch((error: unknown) => this.abort(asError(error)))
    })
    stream.addEventListener('message', ({ data }) => this.onData(data))
    stream.addEventListener('drain', () => queueMicrotask(() => this.#drained()))
    if (rest.byteLength > 0) this.onData(rest)
    resumeStream(stream)
    if (stream.status !== 'open') this.onTransportClosed(new StreamEndedError(`the stream is ${stream.status}`))
  }

  /** The stream itself goes on sending in a microtask after the event: before that it looks free, and would be given more than leaves it. */
  #drained(): void {
    if (!this.stream.writableNeedsDrain) this.safeDispatchEvent('drain')
  }

  override sendData(data: Uint8ArrayList): SendResult {
    return { sentBytes: data.byteLength, canSendMore: this.stream.send(data) }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    await this.stream.close(options)
  }

  override sendReset(error: Error): void {
    if (error instanceof AlteredFrameError) this.#onAltered()
    this.stream.abort(error)
  }

  override sendPause(): void {
    if (this.stream.readStatus === 'readable') this.stream.pause()
  }

  override sendResume(): void {
    resumeStream(this.stream)
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new StreamEndedError(String(error)))

export const circuitConnection = (init: CircuitConnectionInit): MultiaddrConnection => new CircuitConnection(init)
