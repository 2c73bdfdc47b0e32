import type { Stream } from '@libp2p/interface'

export const echoProtocol = '/bench/echo/1.0.0'

const lengthBytes = 4

/** The least that frames over a libp2p stream need: a length, and one send per tick. What the product's engine adds is not in it. */
export class EchoFrames {
  readonly #stream: Stream
  readonly #onFrame: (frame: Uint8Array) => void
  #rest: Uint8Array = new Uint8Array(0)
  #out: Uint8Array[] = []

  constructor(stream: Stream, onFrame: (frame: Uint8Array) => void) {
    this.#stream = stream
    this.#onFrame = onFrame
    stream.addEventListener('message', (event) => this.#read(event.data.subarray()))
  }

  send(frame: Uint8Array): void {
    if (this.#out.push(frame) > 1) return
    process.nextTick(() => this.#flush())
  }

  #flush(): void {
    const parts: Uint8Array[] = []
    for (const frame of this.#out) {
      const head = Buffer.allocUnsafe(lengthBytes)
      head.writeUInt32BE(frame.byteLength)
      parts.push(head, frame)
    }
    this.#out = []
    this.#stream.send(Buffer.concat(parts))
  }

  #read(bytes: Uint8Array): void {
    const all =
      this.#rest.byteLength === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (all.byteLength - at >= lengthBytes) {
      const end = at + lengthBytes + all.readUInt32BE(at)
      if (end > all.byteLength) break
      this.#onFrame(all.subarray(at + lengthBytes, end))
      at = end
    }
    this.#rest = all.subarray(at)
  }
}
