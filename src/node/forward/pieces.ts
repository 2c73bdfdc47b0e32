import { Duplex } from 'node:stream'

// Bytes for a command over a unix socket. It is closed in the same way when all was sent and when something was cut off, so each piece has its
// length before it, and a piece of no bytes is the end.

const headBytes = 4

const headOf = (length: number): Buffer => {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32BE(length)
  return head
}

/** The socket of a command, to which pieces are written. Bytes from it come as they are. */
export function inPieces(socket: Duplex): Duplex {
  const pieces = new Duplex({
    read: () => {
      socket.resume()
    },
    write: (chunk: Buffer, _, done) => {
      socket.cork()
      socket.write(headOf(chunk.byteLength))
      socket.write(chunk, done)
      socket.uncork()
    },
    final: (done) => {
      socket.end(headOf(0), () => done())
    },
    destroy: (error, done) => {
      socket.destroy()
      done(error)
    }
  })
  socket.on('data', (bytes: Buffer) => {
    if (!pieces.push(bytes)) socket.pause()
  })
  socket.once('end', () => pieces.push(null))
  socket.once('error', (error) => pieces.destroy(error))
  socket.once('close', () => {
    if (!(socket.readableEnded && socket.writableFinished)) pieces.destroy()
  })
  // A command that went in the moment before has no event left.
  if (socket.destroyed) pieces.destroy()
  return pieces
}

/** The bytes of the pieces that come. @throws an error when they stop without an end */
export async function* fromPieces(socket: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  let left = 0
  for await (const chunk of socket) {
    let bytes = chunk
    while (bytes.byteLength > 0) {
      const part = bytes.subarray(0, left > 0 ? left : headBytes - head.byteLength)
      bytes = bytes.subarray(part.byteLength)
      if (left > 0) {
        left -= part.byteLength
        yield part
        continue
      }
      head = Buffer.concat([head, part])
      if (head.byteLength < headBytes) continue
      left = head.readUInt32BE()
      head = Buffer.alloc(0)
      if (left === 0) return
    }
  }
  throw new Error('it was cut off')
}
