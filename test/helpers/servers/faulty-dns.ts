import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode } from 'dns-packet'

export type Fault = 'servfail' | 'refused' | 'garbage' | 'silence' | 'empty'

const rcodes: Readonly<Record<'servfail' | 'refused' | 'empty', number>> = { servfail: 2, refused: 5, empty: 0 }

export interface FaultyDns extends AsyncDisposable {
  readonly address: string
  /** Resolves with the next question. */
  asked(): Promise<unknown>
}

/** A resolver on ::1 that answers every question in one wrong way. */
export const faultyDns = async (fault: Fault): Promise<FaultyDns> => {
  const socket = createSocket({ type: 'udp6', ipv6Only: true })
  socket.on('message', (bytes, from) => {
    if (fault === 'silence') return
    const { id = 0, questions = [] } = decode(bytes)
    const header = Buffer.from([id >> 8, id & 0xff, 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0, 0xff, 0xff])
    const reply =
      fault === 'garbage'
        ? header
        : encode({ type: 'response', id, flags: 0x0100 | rcodes[fault], questions, answers: [] })
    socket.send(reply, from.port, from.address)
  })
  socket.bind(0, '::1')
  await once(socket, 'listening')
  return {
    address: `[::1]:${socket.address().port}`,
    asked: () => once(socket, 'message'),
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    }
  }
}
