import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { defaultLimits, limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { openStream } from '../../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { forwardProtocol } from '../../../../src/protocols/forward/descriptor.ts'
import { encodeRequest } from '../../../../src/protocols/forward/messages.ts'
import { ForwardAnswer, ForwardRequest } from '../../../../src/protocols/forward/pb/forward.ts'
import { NotAllowedError, NotExposedError, UnavailableError } from '../../../../src/runtime/errors.ts'
import {
  echo,
  type ForwardMember,
  type ForwardMemberInit,
  readAll,
  type Serve,
  startForwardMember
} from '../../../helpers/hosts/forward-members.ts'
import type { Members } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'
import { networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withoutSockets()

const pair = async (
  serve: Serve = echo,
  { limits, role }: Pick<ForwardMemberInit, 'limits' | 'role'> = {}
): Promise<{ server: ForwardMember; client: ForwardMember }> => {
  const members: Members = new Map()
  const common = { members, ...(limits !== undefined && { limits }) }
  const server = await startForwardMember({ ...common, serve })
  const client = await startForwardMember({ ...common, ...(role !== undefined && { role }) })
  disposeAfterTest(server, client)
  return { server, client }
}

/** A service whose end the test holds. */
const held = (): { serve: Serve; ends: Duplex[] } => {
  const ends: Duplex[] = []
  return {
    ends,
    serve: async () => {
      const [ours, theirs] = duplexPair()
      theirs.on('error', () => {})
      ends.push(theirs)
      return ours
    }
  }
}

const isOver = ({ live }: ForwardMember) => live.list().length === 0

describe('a forward', () => {
  test('carries bytes both ways, ends each way by itself, and leaves nothing behind', async () => {
    const { server, client } = await pair()
    const sent = randomBytes(6 * 2 ** 20)
    const { socket, forward } = await client.call(server)
    socket.end(sent)
    expect((await readAll(socket)).equals(sent)).toBe(true)
    expect(await forward.done).toBeUndefined()
    await eventually(() => isOver(server) && isOver(client))
    const all = sent.byteLength
    expect(server.live.totals.in).toEqual({ opened: 1, bytesIn: all, bytesOut: all })
    expect(client.live.totals.out).toEqual({ opened: 1, bytesIn: all, bytesOut: all })
    expect(client.host.getConnections()[0]?.streams.map(({ protocol }) => protocol)).not.toContain(
      '/trustnet/forward/1.0.0'
    )
  })

  test('whose service ends first goes on in the other direction', async () => {
    const { serve, ends } = held()
    const { server, client } = await pair(serve)
    const { socket } = await client.call(server)
    ends[0]?.end('bye')
    expect((await readAll(socket)).toString()).toBe('bye')
    socket.end('and more')
    expect((await readAll(ends[0] as Duplex)).toString()).toBe('and more')
    await eventually(() => isOver(server) && isOver(client))
  })

  test.each([
    ['the service', 'server'],
    ['the caller', 'client']
  ])('of which %s is cut off is cut off at the other end, too: no end that looks like all of it', async (_, which) => {
    const { serve, ends } = held()
    const { server, client } = await pair(serve)
    const { socket, forward } = await client.call(server)
    const [end] = ends
    if (end === undefined) throw new Error('no end')
    const ended: string[] = []
    socket.on('end', () => ended.push('caller')).on('error', () => {})
    end.on('end', () => ended.push('service'))
    socket.resume()
    end.resume()
    const other = which === 'server' ? socket : end
    const closed = once(other, 'close')
    const [first] = server.live.list()
    if (which === 'server') first?.end(new Error('it was cut off'))
    else forward.end(new Error('it was cut off'))
    await closed
    expect(ended).toEqual([])
    await eventually(() => isOver(server) && isOver(client))
  })

  test('ends as one that is cut off when its connection is gone', async () => {
    const { serve, ends } = held()
    const { server, client } = await pair(serve)
    const { socket, forward } = await client.call(server)
    const ended: string[] = []
    socket.on('end', () => ended.push('caller')).on('error', () => {})
    socket.resume()
    ends[0]?.on('end', () => ended.push('service')).resume()
    await client.host.hangUp(server.host.peerId)
    expect(await forward.done).toBeInstanceOf(Error)
    await eventually(() => isOver(server) && isOver(client))
    expect(ended).toEqual([])
  })

  test('of which the caller has ended, and whose connection is gone, is over, whatever its service does', async () => {
    const { serve, ends } = held()
    const { server, client } = await pair(serve)
    const { socket } = await client.call(server)
    socket.on('error', () => {}).end('all of it')
    const [service] = ends
    if (service === undefined) throw new Error('no end')
    const [bytes] = (await once(service, 'data')) as [Buffer]
    expect(bytes.toString()).toBe('all of it')
    await once(service, 'end')
    await client.host.hangUp(server.host.peerId)
    await eventually(() => isOver(server) && isOver(client))
    expect(service.destroyed).toBe(true)
  })

  test('whose reader stops makes its sender stop, while another one goes on, and loses nothing when it reads again', async () => {
    const { serve, ends } = held()
    const { server, client } = await pair((key, service) =>
      service === 'echo' ? echo(key, service) : serve(key, service)
    )
    const sent = randomBytes(8 * 2 ** 20)
    const { socket } = await client.call(server, 'stopped')
    socket.end(sent)
    const { forward } = { forward: client.live.list()[0] }
    await eventually(() => forward?.isBlocked === true)
    const beside = await client.call(server)
    beside.socket.end(sent)
    expect((await readAll(beside.socket)).equals(sent)).toBe(true)
    const { windowBytes } = defaultLimits.forward
    // The window, what is on its way to the socket, and what the sender holds.
    expect(forward?.bytesOut).toBeLessThan(4 * windowBytes)
    expect(server.live.list()[0]?.waitingBytes).toBeLessThan(4 * windowBytes)
    expect((await readAll(ends[0] as Duplex)).equals(sent)).toBe(true)
  })
})

describe('a call', () => {
  test.each([
    [new NotAllowedError('no', 17), NotAllowedError, 'log entry 17'],
    [new NotExposedError('no'), NotExposedError, 'NOT_EXPOSED'],
    [new UnavailableError('no', 2_000), UnavailableError, 'UNAVAILABLE'],
    [new Error('a fault of the program'), Error, 'INTERNAL']
  ])('that is refused with %s says so, and holds no place', async (refusal, kind, text) => {
    const { server, client } = await pair(async () => {
      throw refusal
    })
    const error = await client.call(server).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(kind)
    expect(String(error)).toContain(text)
    await eventually(() => isOver(server) && isOver(client))
  })

  test.each([
    ['a newer version', { version: 2 }, 'UNSUPPORTED_VERSION'],
    ['another network', { networkId: otherNetworkId }, 'WRONG_NETWORK'],
    ['a service of 65 characters', { service: 'a'.repeat(65) }, 'INVALID'],
    ['a service with markup', { service: '<b>ssh' }, 'INVALID'],
    ['no service', { service: '' }, 'INVALID']
  ] as const)('of %s is answered %s', async (_, change, status) => {
    const { server, client } = await pair()
    const connection = await connect(client.host, server.host)
    const frames = await openStream(connection, forwardProtocol(defaultLimits), { limits: limitsWith() })
    await frames.write(ForwardRequest.encode({ version: 1, networkId, service: 'echo', ...change }))
    const answer = await frames.read()
    expect(ForwardAnswer.decode(answer ?? new Uint8Array()).status).toBe(statuses[status])
    await frames.close()
  })

  test('of a stranger is answered NOT_MEMBER', async () => {
    const { server, client } = await pair(echo, { role: 'stranger' })
    await expect(client.call(server)).rejects.toThrow('NOT_MEMBER')
  })
})

describe('the limits of forwards', () => {
  test('one member has no more at a time, and is named', async () => {
    const { serve } = held()
    const { server, client } = await pair(serve, { limits: { forward: { ...defaultLimits.forward, ofPeer: 2 } } })
    await client.call(server)
    await client.call(server)
    const { connection } = client.live.list()[0] ?? {}
    if (connection === undefined) throw new Error('no forward')
    // The client's own count is not asked: a member may be another program.
    const frames = await openStream(connection, forwardProtocol(defaultLimits), { limits: limitsWith() })
    await frames.write(encodeRequest('echo', networkId))
    const answer = await frames.read()
    expect(ForwardAnswer.decode(answer ?? new Uint8Array()).status).toBe(statuses.RATE_LIMITED)
    expect(server.exceeded).toEqual(['forward.ofPeer'])
    await expect(client.call(server)).rejects.toThrow('more than 2 forwards of one member')
  })

  test('when all places are taken the newest gives way of the member that has most', async () => {
    const { serve } = held()
    const members: Members = new Map()
    const limits = { forward: { ...defaultLimits.forward, ofAll: 4 } }
    const server = await startForwardMember({ members, serve, limits })
    const many = await startForwardMember({ members })
    const few = await startForwardMember({ members })
    disposeAfterTest(server, many, few)
    for (let at = 0; at < 4; at++) await many.call(server)
    await few.call(server)
    await eventually(() => many.live.list().length === 3)
    expect(server.live.list().length).toBe(4)
    await few.call(server)
    await eventually(() => many.live.list().length === 2)
    // Each has half of them now.
    await expect(few.call(server)).rejects.toThrow('RATE_LIMITED')
    expect(few.live.list().length).toBe(2)
  })

  test('a member that has all of its own takes no place from others, either', async () => {
    const { serve } = held()
    const members: Members = new Map()
    const limits = { forward: { ...defaultLimits.forward, ofAll: 6, ofPeer: 2 } }
    const server = await startForwardMember({ members, serve, limits })
    const many = await startForwardMember({ members, serve })
    const few = await startForwardMember({ members })
    disposeAfterTest(server, many, few)
    for (let at = 0; at < 2; at++) {
      await many.call(server)
      await few.call(server)
      // The server's own calls count among all of its forwards.
      await server.call(many)
    }
    const { connection } = few.live.list()[0] ?? {}
    if (connection === undefined) throw new Error('no forward')
    const frames = await openStream(connection, forwardProtocol(defaultLimits), { limits: limitsWith() })
    await frames.write(encodeRequest('echo', networkId))
    const answer = await frames.read()
    expect(ForwardAnswer.decode(answer ?? new Uint8Array()).status).toBe(statuses.RATE_LIMITED)
    expect(server.live.list().length).toBe(6)
  })

  test('one on which nothing moves is closed', async () => {
    const { serve } = held()
    const { server, client } = await pair(serve, { limits: { forward: { ...defaultLimits.forward, idleMs: 300 } } })
    const { forward } = await client.call(server)
    expect(await forward.done).toBeInstanceOf(Error)
    await eventually(() => isOver(server) && isOver(client))
  })

  test('bytes that nobody takes cost the forward that holds most of them, and not its neighbour', async () => {
    const { serve } = held()
    const waitingBytesOfPeer = 300_000
    const { server, client } = await pair(
      (key, service) => (service === 'echo' ? echo(key, service) : serve(key, service)),
      { limits: { forward: { ...defaultLimits.forward, waitingBytesOfPeer } } }
    )
    const quiet = await client.call(server)
    const stopped = await client.call(server, 'stopped')
    stopped.socket.on('error', () => {})
    stopped.socket.write(randomBytes(2 ** 20))
    expect(await stopped.forward.done).toBeInstanceOf(Error)
    quiet.socket.end('still here')
    expect((await readAll(quiet.socket)).toString()).toBe('still here')
    expect(new Set([...server.exceeded, ...client.exceeded])).toEqual(new Set(['forward.waitingBytesOfPeer']))
  })
})
