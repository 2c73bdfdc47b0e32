import { describe, expect, it, onTestFinished } from 'vitest'
import { joinFrames } from '../../../../src/protocols/engine/frame-parser.ts'
import type { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { openStream, type ProtocolDescriptor, request, serve } from '../../../../src/protocols/engine/protocol.ts'
import { hostPair } from '../../../helpers/hosts/host-pair.ts'
import { connect, startPlainHost, withSockets } from '../../../helpers/hosts.ts'

withSockets()

const echo: ProtocolDescriptor = {
  id: '/test/echo/1.0.0',
  audience: 'anyone',
  maxInboundStreams: 2,
  maxOutboundStreams: 64,
  maxFrame: 1024,
  maxAnswerFrame: 1024,
  deadlineMs: 10_000,
  rate: { count: 1_000, perMs: 1_000 }
}
const limits = limitsWith()

const tiny = (count: number): Uint8Array =>
  joinFrames(Array.from({ length: count }, (_, index) => Uint8Array.of(index % 251)))

describe('a peer that floods', () => {
  it('with frames of one byte makes no more objects than are read ahead, and all arrive in order', async () => {
    const { connection, ...init } = await hostPair()
    const count = 100_000
    const arrived = Promise.withResolvers<FrameStream>()
    const done = Promise.withResolvers<number>()
    const go = Promise.withResolvers<void>()
    await serve(init, echo, async ({ frames }) => {
      arrived.resolve(frames)
      await go.promise
      let seen = 0
      for await (const frame of frames) if (frame[0] === seen % 251) seen++
      done.resolve(seen)
    })
    const stream = await connection.newStream(echo.id)
    stream.send(tiny(count))
    const closing = stream.close()
    const frames = await arrived.promise
    await expect.poll(() => frames.stream.readStatus).toBe('paused')
    expect(frames.queued).toBeLessThanOrEqual(limits.stream.readAheadFrames)
    go.resolve()
    expect(await done.promise).toBe(count)
    await closing
  })

  it('with more than a slow reader takes is held back, for as long as it takes, and loses nothing', async () => {
    const { connection, ...init } = await hostPair()
    const count = 12_000
    const { promise: done, resolve } = Promise.withResolvers<number>()
    await serve(init, { ...echo, deadlineMs: 60_000 }, async ({ frames }) => {
      let seen = 0
      for await (const frame of frames) {
        if (frame.byteLength === 1_000) seen++
        await new Promise(setImmediate)
      }
      resolve(seen)
    })
    const stream = await connection.newStream(echo.id)
    stream.send(joinFrames(Array.from({ length: count }, () => new Uint8Array(1_000))))
    await stream.close()
    expect(await done).toBe(count)
  })

  it('with streams of one protocol has as many as allowed, and its connection', async () => {
    const { connection, inbound, ...init } = await hostPair()
    let running = 0
    let most = 0
    await serve(init, echo, async ({ frames }) => {
      most = Math.max(most, ++running)
      await frames.read().catch(() => {})
      running--
    })
    const streams = await Promise.all(Array.from({ length: 6 }, () => openStream(connection, echo, { limits })))
    await Promise.all(streams.slice(2).map(({ closed }) => closed)).catch(() => {})
    await expect.poll(() => inbound.streams.filter(({ protocol }) => protocol === echo.id).length).toBe(2)
    expect(most).toBe(2)
    expect(connection.status).toBe('open')
  })

  it('with streams beyond the rate for long loses its connection, and others notice nothing', async () => {
    const { connection, ...init } = await hostPair()
    const other = await startPlainHost()
    onTestFinished(async () => other.stop())
    const honest = await connect(other, init.server)
    let handled = 0
    const few = limitsWith({ stream: { refused: { count: 20, perMs: 3_600_000 } } })
    await serve(
      { ...init, limits: few },
      { ...echo, maxInboundStreams: 32, rate: { count: 4, perMs: 3_600_000 } },
      async ({ frames }) => {
        handled++
        const frame = await frames.read()
        if (frame !== undefined) await frames.write(frame)
      }
    )
    let opened = 0
    while (connection.status === 'open' && opened < 100) {
      opened++
      await connection.newStream(echo.id).then(
        (stream) => stream.abort(new Error('next')),
        () => {}
      )
    }
    expect(connection.status).not.toBe('open')
    expect(handled).toBe(4)
    expect([...(await request(honest, echo, Uint8Array.of(7), { limits }))]).toEqual([7])
  })
})
