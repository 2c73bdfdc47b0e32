import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { defaultLimits, limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { openStream } from '../../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { forwardId, forwardProtocol } from '../../../../src/protocols/forward/descriptor.ts'
import { encodeRequest } from '../../../../src/protocols/forward/messages.ts'
import { ForwardAnswer } from '../../../../src/protocols/forward/pb/forward.ts'
import {
  echo,
  type ForwardMember,
  readAll,
  type Serve,
  startForwardMember
} from '../../../helpers/hosts/forward-members.ts'
import type { Members } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'
import { networkId } from '../../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withoutSockets()

const pair = async (serve: Serve = echo): Promise<{ server: ForwardMember; client: ForwardMember }> => {
  const members: Members = new Map()
  const server = await startForwardMember({ members, serve })
  const client = await startForwardMember({ members })
  disposeAfterTest(server, client)
  return { server, client }
}

const isOver = ({ live }: ForwardMember) => live.list().length === 0

describe('a call', () => {
  /** A request with bytes right behind it, as a program sends it that does not wait for the answer. */
  const withBytes = (bytes: Uint8Array): Uint8Array => {
    const request = encodeRequest('echo', networkId)
    return Buffer.concat([Buffer.of(request.byteLength), request, bytes])
  }

  const toServer = async ({ server, client }: { server: ForwardMember; client: ForwardMember }) => {
    const connection = await connect(client.host, server.host)
    return await openStream(connection, forwardProtocol(defaultLimits), { limits: limitsWith() })
  }

  test('that sends all of its bytes and its end right behind the request loses none of them', async () => {
    const { server, client } = await pair()
    const connection = await connect(client.host, server.host)
    const stream = await connection.newStream(forwardId)
    const came: Uint8Array[] = []
    stream.addEventListener('message', ({ data }) => came.push(data.subarray()))
    const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>()
    stream.addEventListener('close', ({ error }) => resolve(error))
    stream.send(withBytes(Buffer.from('all at once')))
    await stream.close()
    expect(await closed).toBeUndefined()
    const [length = 0, ...rest] = Buffer.concat(came)
    expect(ForwardAnswer.decode(Buffer.from(rest.slice(0, length))).status).toBe(statuses.OK)
    expect(Buffer.from(rest.slice(length)).toString()).toBe('all at once')
    await eventually(() => isOver(server))
  })

  test('whose bytes come long before its service answers waits with them on its own side', async () => {
    const answered = Promise.withResolvers<void>()
    const both = await pair(async (key, service) => {
      if (service === 'echo') await answered.promise
      return await echo(key, service)
    })
    const sent = randomBytes(2 ** 21)
    const frames = await toServer(both)
    frames.stream.maxWriteBufferLength = 2 * sent.byteLength
    frames.stream.send(withBytes(sent))
    // Goes there and back behind it, many times.
    const { socket } = await both.client.call(both.server, 'beside')
    socket.end(sent)
    expect((await readAll(socket)).equals(sent)).toBe(true)
    expect(frames.stream.writeBufferLength).toBeGreaterThan(2 ** 20)
    answered.resolve()
    await frames.read()
    const { stream, rest } = await frames.handOver()
    let came = rest.byteLength
    const { promise: whole, resolve } = Promise.withResolvers<void>()
    stream.addEventListener('message', ({ data }) => {
      came += data.byteLength
      if (came === sent.byteLength) resolve()
    })
    stream.resume()
    await whole
    stream.abort(new Error('done'))
  })

  test('that sends its bytes right behind the request gets them through', async () => {
    const frames = await toServer(await pair())
    frames.stream.send(withBytes(Buffer.from('at once')))
    await frames.read()
    const { stream, rest } = await frames.handOver()
    const came = Promise.withResolvers<string>()
    stream.addEventListener('message', ({ data }) => came.resolve(Buffer.from(data.subarray()).toString()))
    stream.resume()
    expect(rest.byteLength > 0 ? Buffer.from(rest).toString() : await came.promise).toBe('at once')
    stream.abort(new Error('done'))
  })
})
