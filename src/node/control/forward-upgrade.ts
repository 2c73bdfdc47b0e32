import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { onAbort } from '../../runtime/abort.ts'
import { inBackground } from '../../runtime/background.ts'
import { LimitError } from '../../runtime/errors.ts'
import { failureOf, httpStatusOf } from '../../runtime/failures.ts'
import { apiPrefix } from '../api/client.ts'
import { ControlInputError } from '../api/errors.ts'
import { unasked } from '../api/stamp.ts'
import type { ForwardParts } from '../forward/forwards.ts'
import { inPieces } from '../forward/pieces.ts'
import { parsedInput } from './input.ts'

export interface UpgradeInit {
  forwards: ForwardParts
  /** Commands that hold one open, at a time. */
  most: number
  /** Aborts when the control socket closes. */
  closing: AbortSignal
}

const query = z.strictObject({
  peer: z.string().min(1).max(256).optional(),
  service: z.string().min(1).max(63),
  listen: z.string().max(64).optional()
})
type Asked = z.output<typeof query>

const accepted = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: trustnet-forward\r\n\r\n'
/** A command that does not read is told no more. */
const untoldBytes = 64 * 1024

/** Forwards for commands: the connection of a command carries the bytes of one, or holds a listener. Either ends with the command. */
export function serveForwards(server: Server, init: UpgradeInit): void {
  let open = 0
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    const stop = onAbort(init.closing, () => socket.destroy())
    open++
    socket.once('close', () => {
      open--
      stop?.[Symbol.dispose]()
    })
    if (head.byteLength > 0) socket.unshift(head)
    inBackground(answer(init, request, socket, open > init.most), 'answering a command')
  })
}

async function answer(init: UpgradeInit, request: IncomingMessage, socket: Duplex, isTooMany: boolean): Promise<void> {
  try {
    if (isTooMany) throw new LimitError(`${init.most} commands hold a forward open, which is as many as may`)
    const asked = askedIn(request)
    if (asked.listen === undefined) await carry(init.forwards, asked, socket)
    else await listen(init.forwards, asked, socket)
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const told = unasked({ error: { code: failureOf(error).code, name: error.name, message: error.message } })
    const body = Buffer.from(JSON.stringify(told))
    const head = `HTTP/1.1 ${httpStatusOf(error)} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.byteLength}\r\nconnection: close\r\n\r\n`
    if (!socket.destroyed) socket.end(Buffer.concat([Buffer.from(head), body]))
  }
}

function askedIn({ url = '/' }: IncomingMessage): Asked {
  const { pathname, searchParams } = new URL(url, 'http://trustnet')
  if (pathname === `${apiPrefix}forward`) return parsedInput(query, Object.fromEntries(searchParams))
  throw new ControlInputError('This is no call of a service. Is the command of another version?')
}

async function carry(forwards: ForwardParts, called: Asked, socket: Duplex): Promise<void> {
  const gone = new AbortController()
  const onClose = (): void => gone.abort(new Error('the command has ended'))
  socket.once('close', onClose)
  const { forward, frames } = await forwards.open(called, gone.signal)
  socket.off('close', onClose)
  socket.write(accepted)
  await forward.join(frames, inPieces(socket))
}

async function listen(forwards: ForwardParts, { listen: at, ...called }: Asked, socket: Duplex): Promise<void> {
  const tell = (line: object): void => {
    if (socket.writable && socket.writableLength < untoldBytes) socket.write(`${JSON.stringify(line)}\n`)
  }
  const onFailed = (error: Error): void => tell({ failed: { code: failureOf(error).code, message: error.message } })
  const listener = await forwards.listen(called, { at: at === '' ? undefined : at, onFailed })
  const end = (): void => inBackground(listener[Symbol.asyncDispose](), 'ending a forward')
  if (socket.destroyed) return end()
  socket.write(accepted)
  tell({ address: listener.address })
  socket.once('end', end).once('close', end).resume()
  await listener.closed
  socket.end()
}
