import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Streams } from '../../../../src/node/http/streams.ts'

/** Answers to readers that take nothing of them, as a server has them. */
const opened = async (count: number): Promise<ServerResponse[]> => {
  const answers: ServerResponse[] = []
  const server = createServer((_, response) => {
    response.write(': still here\n\n')
    answers.push(response)
  }).listen(0, '::1')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const { port }: Pick<AddressInfo, 'port'> = Object(server.address())
  for (let at = 0; at < count; at++) {
    const socket = connect(port, '::1').on('error', () => {})
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(server, 'request')
  }
  return answers
}

test('streams that nobody reads make room for others after a while, the oldest first, and it is counted', async () => {
  const exceeded: string[] = []
  const streams = new Streams({ most: 2, turnMs: 0 }, (limit) => exceeded.push(limit))
  const [first, second, third] = await opened(3)
  if (first === undefined || second === undefined || third === undefined) throw new Error('no answers')
  const signals = [streams.add(first), streams.add(second)]
  expect(exceeded).toEqual([])
  const gone = once(first, 'close')
  const last = streams.add(third)
  await gone
  expect([...signals, last].map(({ aborted }) => aborted)).toEqual([true, false, false])
  expect(exceeded).toEqual(['http.streams'])
})

test('a stream that has not had its turn stays, and the one too many is refused', async () => {
  const streams = new Streams({ most: 1, turnMs: 3_600_000 })
  const [first, second] = await opened(2)
  if (first === undefined || second === undefined) throw new Error('no answers')
  const signal = streams.add(first)
  expect(() => streams.add(second)).toThrow('Too many event streams')
  expect(signal.aborted).toBe(false)
  const gone = once(first, 'close')
  first.req.socket.destroy()
  await gone
  expect(streams.add(second).aborted).toBe(false)
})
