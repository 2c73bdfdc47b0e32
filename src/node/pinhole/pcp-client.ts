import { createSocket, type Socket } from 'node:dgram'
import { onAbort } from '../../runtime/abort.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import { decodeMap, encodeMap, type MapAnswer, type MapRequest, pcpPorts } from './pcp-messages.ts'

export interface PcpInit {
  /** Address of the router, with its interface. */
  readonly router: string
  /** Address of this machine for which it is asked, and from which. */
  readonly from: string
  readonly request: MapRequest
  readonly signal: AbortSignal
  readonly port?: number
  readonly timing?: { readonly firstMs: number; readonly tries: number }
}

/** RFC 6887, 8.1.1: 3 s, then twice as long, each a little more or less. A router that is there answers the first or the second time. */
const defaultTiming = { firstMs: 3_000, tries: 3 }
/** A router says one thing; more that is no answer is nonsense, and is not waited out. */
const mostWrong = 64

/** Asks the router once. @throws UnavailableError when it does not answer, or answers nonsense; the reason of the signal */
export async function askRouter(init: PcpInit): Promise<MapAnswer> {
  const { router, from, signal, port = pcpPorts.server } = init
  signal.throwIfAborted()
  const socket = createSocket({ type: 'udp6', ipv6Only: true })
  const { promise, resolve, reject } = Promise.withResolvers<MapAnswer>()
  using _ = onAbort(signal, reject)
  socket.on('error', (error) => reject(new UnavailableError(inWords(error.message), 0)))
  let resends: Disposable | undefined
  // Connected, so that the kernel lets through what the router itself sends, and says when nobody listens there.
  socket.bind({ address: from, port: 0, exclusive: true }, () => {
    // Without a way to the router, as when its interface is just gone, Node says so here and sends no event.
    socket.connect(port, router, (error?: Error) => {
      if (error === undefined) resends = sendAgain(socket, init, reject)
      else reject(new UnavailableError(inWords(error.message), 0))
    })
  })
  let wrong = 0
  socket.on('message', (bytes) => {
    const answer = decodeMap(bytes, init.request)
    if (answer !== undefined) resolve(answer)
    else if (++wrong >= mostWrong) reject(new UnavailableError('what the router answers is no PCP', 0))
  })
  try {
    return await promise
  } finally {
    resends?.[Symbol.dispose]()
    socket.close()
  }
}

/** Sends it, and again after a while; `onSilent` is told when it has waited for the last time. */
function sendAgain(
  socket: Socket,
  { request, timing = defaultTiming }: PcpInit,
  onSilent: (error: Error) => void
): Disposable {
  const bytes = encodeMap(request)
  let tries = 0
  let timer: NodeJS.Timeout | undefined
  const next = (): void => {
    if (tries < timing.tries) send()
    else onSilent(new UnavailableError('the router does not answer', 0))
  }
  const send = (): void => {
    socket.send(bytes)
    const ms = timing.firstMs * 2 ** tries++
    timer = setTimeout(next, ms * (0.9 + 0.2 * Math.random()))
  }
  send()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
