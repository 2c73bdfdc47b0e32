import { Socket } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { isPortTaken } from '../../../src/node/host/libp2p.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { netHost } from '../../helpers/hosts/net-hosts.ts'

const protocol = '/test/flood/1.0.0'
const chunk = new Uint8Array(50 * 1024)

describe('libp2p options', () => {
  it('what is said on one connection in one turn is one write of its socket', async () => {
    await using host = await netHost()
    await using other = await netHost()
    let received = 0
    await host.libp2p.handle(protocol, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        received += data.byteLength
      })
    })
    const connection = await other.libp2p.dial(multiaddr(host.address))
    const streams = await Promise.all(Array.from({ length: 8 }, () => connection.newStream(protocol)))
    const single = vi.spyOn(Socket.prototype, '_write')
    const joint = vi.spyOn(Socket.prototype, '_writev')
    onTestFinished(() => void vi.restoreAllMocks())
    for (const stream of streams) stream.send(new Uint8Array(32))
    await expect.poll(() => received).toBe(8 * 32)
    const port = Number(/tcp\/(\d+)/.exec(host.address)?.[1])
    const isOurs = (socket: unknown): boolean => socket instanceof Socket && socket.remotePort === port
    expect([joint.mock.contexts.filter(isOurs).length, single.mock.contexts.filter(isOurs).length]).toEqual([1, 0])
  })

  it('lists the connections of one peer and of all', async () => {
    await using host = await netHost()
    await using one = await netHost()
    await using other = await netHost()
    for (const { libp2p } of [one, other]) await libp2p.dial(multiaddr(host.address))
    await expect.poll(() => host.libp2p.getConnections().length).toBe(2)
    expect(host.libp2p.getConnections(one.libp2p.peerId).map(({ remotePeer }) => remotePeer.toString())).toEqual([
      one.libp2p.peerId.toString()
    ])
  })

  it('streams that never say what they are for are 64 at a time, and do not stay', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const connection = await other.libp2p.dial(multiaddr(host.address))
    const muxer: unknown = Reflect.get(connection, 'muxer')
    const opens = typeof muxer === 'object' && muxer !== null ? Reflect.get(muxer, 'createStream') : undefined
    if (typeof opens !== 'function') throw new Error('libp2p keeps its muxer elsewhere now')
    let most = 0
    let reset = 0
    const held = () => host.libp2p.getConnections().flatMap(({ streams }) => streams).length
    for (let made = 0; made < 100; made++) {
      const stream: Stream = await opens.call(muxer)
      stream.addEventListener('close', () => reset++)
      stream.send(Uint8Array.of(19))
      most = Math.max(most, held())
    }
    await expect.poll(() => reset, { timeout: ceilingMs }).toBe(100)
    expect(most).toBeLessThanOrEqual(64)
    expect(held()).toBe(0)
    expect(connection.status).toBe('open')
  })

  it('a reader that pauses holds the sender and loses nothing', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const arrived = Promise.withResolvers<Stream>()
    let received = 0
    await host.libp2p.handle(protocol, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        received += data.byteLength
      })
      stream.pause()
      arrived.resolve(stream)
    })
    const connection = await other.libp2p.dial(multiaddr(host.address))
    const sender = await connection.newStream(protocol)
    for (let i = 0; i < 18; i++) sender.send(chunk)
    const reader = await arrived.promise
    await expect.poll(() => reader.readBufferLength).toBe(256 * 1024)
    expect([reader.status, sender.status]).toEqual(['open', 'open'])
    reader.resume()
    await expect.poll(() => received).toBe(18 * chunk.byteLength)
  })

  it('a sender that ignores a slow reader loses its stream at 1 MiB, not the connection', async () => {
    await using host = await netHost()
    await using other = await netHost()
    await host.libp2p.handle(protocol, (stream) => stream.pause())
    const connection = await other.libp2p.dial(multiaddr(host.address))
    const sender = await connection.newStream(protocol)
    const send = (): void => {
      for (let i = 0; i < 100; i++) sender.send(chunk)
    }
    expect(send).toThrow(/write|clos|abort/i)
    expect([sender.status, connection.status]).toEqual(['aborted', 'open'])
  })

  it('a sender that goes beyond its window loses its stream before it fills our memory', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const arrived = Promise.withResolvers<Stream>()
    await host.libp2p.handle(protocol, (stream) => {
      stream.pause()
      arrived.resolve(stream)
    })
    const connection = await other.libp2p.dial(multiaddr(host.address))
    const sender = await connection.newStream(protocol)
    const reader = await arrived.promise
    const buffered: number[] = []
    // yamux keeps to the window by this number alone.
    Reflect.set(sender, 'sendWindowCapacity', 2 ** 30)
    for (let i = 0; i < 16; i++) sender.send(chunk)
    await expect
      .poll(() => {
        buffered.push(reader.readBufferLength)
        return reader.status
      })
      .not.toBe('open')
    expect(Math.max(...buffered)).toBeLessThanOrEqual(512 * 1024)
  })

  it('64 streams of one peer are open at a time', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const open: Stream[] = []
    await host.libp2p.handle(protocol, (stream) => void open.push(stream), { maxInboundStreams: 1000 })
    const connection = await other.libp2p.dial(multiaddr(host.address))
    const streams = Array.from(
      { length: 80 },
      async () => await connection.newStream(protocol, { maxOutboundStreams: 1000 })
    )
    const results = await Promise.allSettled(streams)
    expect(open.length).toBeLessThanOrEqual(64)
    expect(results.some(({ status }) => status === 'rejected')).toBe(true)
  })

  it('tells its version by identify', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const identified = new Promise<string | undefined>((resolve) =>
      other.libp2p.addEventListener('peer:identify', ({ detail }) => resolve(detail.agentVersion), { once: true })
    )
    await other.libp2p.dial(multiaddr(host.address))
    expect(await identified).toBe('trustnet/0.0.0')
  })

  it('knows a taken port from other errors', async () => {
    await using host = await netHost()
    const error: unknown = await netHost({ listen: host.address }).catch((reason: unknown) => reason)
    expect(isPortTaken(error)).toBe(true)
    expect(isPortTaken(new Error('another'))).toBe(false)
    expect(isPortTaken(undefined)).toBe(false)
  })
})
