import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, test } from 'vitest'
import { Connections } from '../../../../src/node/http/connections.ts'
import { eventually } from '../../../helpers/network.ts'

let server: Server
afterEach(() => {
  server.close()
  server.closeAllConnections()
})

const ask = async (): Promise<Socket> => {
  const { port }: Pick<AddressInfo, 'port'> = Object(server.address())
  const socket = connect(port, '::1').on('error', () => {})
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return socket
}

const listening = async (): Promise<void> => {
  server.listen(0, '::1')
  await once(server, 'listening')
}

test('nothing is kept of a connection that closes before its answer is whole', async () => {
  const sockets: WeakRef<Socket>[] = []
  server = createServer((request, response) => {
    sockets.push(new WeakRef(request.socket))
    connections.answering(response)
    response.write('begun')
  })
  const connections = new Connections(server, { most: 64, answerMs: 60_000 })
  await listening()
  for (let at = 0; at < 5; at++) {
    const reader = await ask()
    await once(reader, 'data')
    reader.destroy()
  }
  await eventually(() => connections.size === 0)
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  await eventually(() => {
    collect()
    // The newest ones are held by the HTTP parsers, which are used again.
    return sockets.length === 5 && sockets.filter((each) => each.deref() === undefined).length >= 3
  })
})

test('a reader that takes an answer too slowly is cut, one of an event stream is not', async () => {
  const types = ['text/event-stream', 'text/plain']
  server = createServer((_, response) => {
    connections.answering(response)
    response.setHeader('content-type', types.shift() ?? '')
    response.write('begun')
  })
  const exceeded: string[] = []
  const connections = new Connections(server, { most: 64, answerMs: 200 }, (limit) => exceeded.push(limit))
  await listening()
  const stream = await ask()
  await once(stream, 'data')
  // Asked later: when its time is over, that of the stream is, too.
  const slow = await ask()
  await new Promise((resolve) => slow.once('close', resolve))
  await expect.poll(() => connections.size).toBe(1)
  expect(stream.readyState).toBe('open')
  expect(exceeded).toEqual(['http.answer'])
})

test('a connection too many is closed while all are being answered, and counted', async () => {
  server = createServer((_, response) => {
    connections.answering(response)
    response.write('begun')
  })
  const exceeded: string[] = []
  const connections = new Connections(server, { most: 1, answerMs: 60_000 }, (limit) => exceeded.push(limit))
  await listening()
  const first = await ask()
  await once(first, 'data')
  const second = await ask()
  await new Promise((resolve) => second.once('close', resolve))
  expect(first.readyState).toBe('open')
  expect(exceeded).toEqual(['http.connections'])
})
