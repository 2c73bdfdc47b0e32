import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { joinFrames } from '../../../../src/protocols/engine/frame-parser.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { openStream, type ProtocolDescriptor, request, serve } from '../../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { UnavailableError } from '../../../../src/runtime/errors.ts'
import { hostPair } from '../../../helpers/hosts/host-pair.ts'
import { withoutSockets } from '../../../helpers/hosts.ts'

withoutSockets()

const echo: ProtocolDescriptor = {
  id: '/test/echo/1.0.0',
  audience: 'anyone',
  maxInboundStreams: 4,
  maxOutboundStreams: 4,
  maxFrame: 1024,
  maxAnswerFrame: 300 * 1024,
  deadlineMs: 2_000,
  rate: { count: 100, perMs: 1_000 },
  refusal: (status) => Uint8Array.of(255, status)
}

function framesOf(stream: Stream, limits = limitsWith()) {
  return new FrameStream(stream, { maxFrame: 300 * 1024, limits: limits.stream })
}

describe('engine', () => {
  it('answers a request, and leaves no stream behind', async () => {
    const { connection, inbound, limits, ...init } = await hostPair()
    await serve({ ...init, limits }, echo, async ({ frames }) => {
      const frame = await frames.read()
      if (frame !== undefined) await frames.write(frame)
    })
    const answer = await request(connection, echo, Uint8Array.of(1, 2, 3), { limits })
    expect([...answer]).toEqual([1, 2, 3])
    await Promise.all(inbound.streams.map((stream) => framesOf(stream).closed))
    expect(inbound.streams.filter(({ protocol }) => protocol === echo.id)).toEqual([])
    expect(connection.streams.filter(({ protocol }) => protocol === echo.id)).toEqual([])
  })

  it('answers the status of what the handler throws', async () => {
    const { connection, limits, ...init } = await hostPair()
    await serve({ ...init, limits }, echo, async ({ frames }) => {
      await frames.read()
      throw new UnavailableError('later', 10)
    })
    const answer = await request(connection, echo, Uint8Array.of(1), { limits })
    expect([...answer]).toEqual([255, statuses.UNAVAILABLE])
  })

  it('resets a stream whose frame is longer than the limit, and keeps the connection', async () => {
    const { connection, limits, ...init } = await hostPair()
    await serve({ ...init, limits }, echo, async ({ frames }) => {
      await frames.read()
    })
    await expect(request(connection, echo, new Uint8Array(1025).fill(1), { limits })).rejects.toThrow(/reset/)
    expect(connection.status).toBe('open')
  })

  it('answers RATE_LIMITED beyond the rate of a peer', async () => {
    const { connection, limits, ...init } = await hostPair()
    const slow = { ...echo, rate: { count: 2, perMs: 3_600_000 } }
    await serve({ ...init, limits }, slow, async ({ frames }) => {
      const frame = await frames.read()
      if (frame !== undefined) await frames.write(frame)
    })
    const answers: number[][] = []
    for (let index = 0; index < 3; index++) {
      answers.push([...(await request(connection, slow, Uint8Array.of(index + 1), { limits }))])
    }
    expect(answers).toEqual([[1], [2], [255, statuses.RATE_LIMITED]])
  })

  it('answers NOT_MEMBER to strangers where members are served, and serves once membership is proven', async () => {
    const { connection, inbound, limits, trust, ...init } = await hostPair()
    const members: ProtocolDescriptor = { ...echo, audience: 'members' }
    await serve({ ...init, trust, limits }, members, async ({ frames }) => {
      const frame = await frames.read()
      if (frame !== undefined) await frames.write(frame)
    })
    expect([...(await request(connection, members, Uint8Array.of(7), { limits }))]).toEqual([255, statuses.NOT_MEMBER])
    trust.prove(inbound, { publicKey: new Uint8Array(32), name: 'a', role: 'integrated' })
    expect([...(await request(connection, members, Uint8Array.of(7), { limits }))]).toEqual([7])
    trust.clear()
    const afterwards = [...(await request(connection, members, Uint8Array.of(7), { limits }))]
    expect(afterwards).toEqual([255, statuses.UNAVAILABLE])
  })

  it('cuts an exchange at its deadline', async () => {
    const { connection, limits, ...init } = await hostPair()
    const short = { ...echo, deadlineMs: 100 }
    const ended = Promise.withResolvers<unknown>()
    await serve({ ...init, limits }, short, async ({ frames, signal }) => {
      await frames.read({ signal }).catch((error: unknown) => ended.resolve(error))
    })
    const frames = await openStream(connection, short, { limits })
    expect(await ended.promise).toMatchObject({ name: 'DeadlineError' })
    expect(await frames.closed).toBeDefined()
  })

  it('cuts a frame that is not finished in time, and one that ends within itself', async () => {
    const { connection, limits, ...init } = await hostPair({ stream: { frameMs: 100 } })
    const reasons: string[] = []
    const seen = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await serve({ ...init, limits }, echo, async ({ frames }) => {
      const error = await frames.read().catch((failure: unknown) => failure)
      seen[reasons.push(error instanceof Error ? error.name : '?') - 1]?.resolve()
    })
    const slow = await connection.newStream(echo.id)
    slow.send(Uint8Array.of(10, 1, 2))
    await seen[0]?.promise
    const cut = await connection.newStream(echo.id)
    cut.send(Uint8Array.of(10, 1, 2))
    await cut.close()
    await seen[1]?.promise
    expect(reasons).toEqual(['UnfinishedFrameError', 'MalformedFrameError'])
    expect(connection.status).toBe('open')
  })

  it('cuts a reader that reads nothing, with bounded memory', async () => {
    const { connection, limits, ...init } = await hostPair({ stream: { stallMs: 150 } })
    const stalled = Promise.withResolvers<{ error: unknown; written: number }>()
    await serve({ ...init, limits }, { ...echo, deadlineMs: 10_000 }, async ({ frames }) => {
      let written = 0
      try {
        for (;;) {
          await frames.write(new Uint8Array(64 * 1024).fill(1))
          written += 64 * 1024
        }
      } catch (error) {
        stalled.resolve({ error, written })
      }
    })
    const stream = await connection.newStream(echo.id)
    stream.pause()
    const { error, written } = await stalled.promise
    expect(error).toMatchObject({ name: 'StalledWriteError' })
    expect(written).toBeLessThan(limits.stream.writeBufferBytes)
    expect(connection.status).toBe('open')
  })

  it('keeps order and back pressure when the handler is slower than the sender', async () => {
    const { connection, limits, ...init } = await hostPair()
    const count = 3_000
    const done = Promise.withResolvers<number>()
    await serve({ ...init, limits }, { ...echo, deadlineMs: 15_000 }, async ({ frames }) => {
      let expected = 0
      for await (const frame of frames) {
        const index = new DataView(frame.buffer, frame.byteOffset).getUint32(0)
        if (index !== expected) throw new Error(`frame ${index} where ${expected} was due`)
        expected++
        if (expected % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
        if (expected === count) done.resolve(expected)
      }
    })
    const frames = await openStream(connection, echo, { limits })
    for (let index = 0; index < count; index++) {
      const frame = new Uint8Array(1000)
      new DataView(frame.buffer).setUint32(0, index)
      await frames.write(frame)
    }
    expect(await done.promise).toBe(count)
    await frames.close()
  })

  it('reads what was sent and ended before the reader came', async () => {
    const { connection, server, limits } = await hostPair()
    const got = Promise.withResolvers<number[][]>()
    await server.handle('/test/late/1.0.0', async (stream) => {
      await new Promise((resolve) => stream.addEventListener('remoteCloseWrite', resolve, { once: true }))
      const frames: number[][] = []
      for await (const frame of framesOf(stream, limits)) frames.push([...frame])
      got.resolve(frames)
    })
    const stream = await connection.newStream('/test/late/1.0.0')
    stream.send(joinFrames([Uint8Array.of(1), Uint8Array.of(2, 3)]))
    await stream.close()
    expect(await got.promise).toEqual([[1], [2, 3]])
  })
})
