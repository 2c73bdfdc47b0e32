import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import { multiaddr } from '@multiformats/multiaddr'
import { Registry as PrometheusRegistry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askEcho, serveEcho } from '../../../examples/echo.ts'
import { createNode, FrameTooLargeError, framed, type ProgramNode, UnavailableError } from '../../../src/index.ts'
import type { Host } from '../../../src/node/host/host-services.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { netHost } from '../../helpers/hosts/net-hosts.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const lines: string[] = []
const log = new Writable({
  write(chunk: Buffer, _encoding, done) {
    lines.push(chunk.toString())
    done()
  }
})

/** Metrics of libp2p as a program reads them. */
const measured = new PrometheusRegistry()

let network: TestNetwork
let a: ProgramNode
let b: ProgramNode<{ mine: { seen: string[] } }>

const settings = (name: string) => ({
  folder: join(network.folder, name),
  topics: ['news'],
  config: {
    name,
    domain: 'net.test',
    networkId: network.networkId,
    listen: { port: 0 },
    announce: { allow: ['loopback' as const] },
    heartbeat: { intervalMs: 3_000, timeoutMs: 2_000 },
    bootstrap: { peers: [network.address('root')], dnsServers: ['[::1]:1'], dnsTimeoutMs: 500 }
  }
})

beforeAll(async () => {
  network = await TestNetwork.create()
  a = await createNode({ ...settings('a'), log })
  const services = { mine: () => ({ seen: [] as string[] }) }
  b = await createNode({ ...settings('b'), libp2p: { services, metrics: prometheusMetrics({ registry: measured }) } })
  for (const node of [a, b]) await node.start()
  await Promise.all([a, b].map((node) => node.joined({ signal: AbortSignal.timeout(ceilingMs) })))
}, ceilingMs)

afterAll(async () => {
  await Promise.all([a, b].map((node) => node.stop()))
  await network[Symbol.asyncDispose]()
})

describe('a node in a program', () => {
  it('keeps all that it has in its folder, opens no control socket, and listens where its typed values say', () => {
    expect(existsSync(join(network.folder, 'a', 'node.key'))).toBe(true)
    expect(existsSync(join(network.folder, 'a', 'registry.db'))).toBe(true)
    expect(existsSync(join(network.folder, 'a', 'run'))).toBe(false)
    expect(lines.some((line) => line.includes('listening on'))).toBe(true)
  })

  it('refuses a value that is none, and a name that is no key', async () => {
    const folder = join(network.folder, 'none')
    await expect(createNode({ folder, config: { listen: { port: 70_000 } } })).rejects.toThrow('outside 0 to 65535')
    const wrong = JSON.parse('{"listen":{"prot":1}}')
    await expect(createNode({ folder, config: wrong })).rejects.toThrow('listen.prot is no key of the configuration')
    const config = { heartbeat: { intervalMs: -1 } }
    await expect(createNode({ folder, config })).rejects.toThrow(/^config: heartbeat\.interval: /)
    await expect(createNode({ folder: '' })).rejects.toThrow('`folder` is empty')
    await expect(createNode({ folder, topics: ['No name'] })).rejects.toThrow("the topic 'No name' is no name")
    const services = { hello: () => ({}) }
    await expect(createNode({ folder, libp2p: { services } })).rejects.toThrow("has a service 'hello' of its own")
    expect(existsSync(folder)).toBe(false)
  })

  it('answers requests of members, who are known by name', async () => {
    await serveEcho(a)
    expect(await askEcho(b, 'a', 'hello')).toBe('b said: hello')
    expect(await askEcho(b, a.peerId, 'again')).toBe('b said: again')
  })

  it('says in its log which protocol of the program failed, and for whom; the member learns no reason', async () => {
    await a.answer('/test/broken/1.0.0', () => {
      throw new Error('a bug of the program')
    })
    const failure = await b.request('a', '/test/broken/1.0.0', 'x').catch((error: Error) => error)
    expect(failure).toBeInstanceOf(UnavailableError)
    expect(String(failure)).toMatch(/a did not answer \/test\/broken\/1\.0\.0 and ended the stream/)
    expect(String(failure)).not.toContain('a bug of the program')
    await eventually(() => lines.some((line) => line.includes('a bug of the program')))
    const line = lines.find((one) => one.includes('a bug of the program')) ?? '{}'
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      protocol: '/test/broken/1.0.0',
      member: 'b',
      peer: b.peerId,
      stack: expect.stringContaining('library.test.ts')
    })
  })

  it('says to whoever asks why there is no answer: nobody serves it, it is too long, or the caller has given up', async () => {
    const unserved = '/test/unserved/1.0.0'
    for (const asked of [b.request('a', unserved, 'x'), b.openStream('a', unserved)]) {
      await expect(asked).rejects.toBeInstanceOf(UnavailableError)
      await expect(asked).rejects.toThrow(`a does not serve ${unserved}`)
    }
    await a.answer('/test/long/1.0.0', () => 'x'.repeat(1_001))
    await expect(b.request('a', '/test/long/1.0.0', 'x', { maxBytes: 1_000 })).rejects.toThrow(FrameTooLargeError)
    const asked = new AbortController()
    const given = new Error('the program gives up')
    await a.answer('/test/never/1.0.0', () => {
      asked.abort(given)
      return new Promise<never>(() => {})
    })
    await expect(b.request('a', '/test/never/1.0.0', 'x', { signal: asked.signal })).rejects.toBe(given)
  })

  it('gives up the stream of whoever sends no request, which is no failure of the handler', async () => {
    await a.answer('/test/silent/1.0.0', () => 'never')
    const stream = await b.openStream('a', '/test/silent/1.0.0')
    const ended = new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
    await stream.close()
    await ended
    expect(lines.filter((line) => line.includes('/test/silent/1.0.0'))).toEqual([])
  })

  it('keeps the names of TrustNet for TrustNet', async () => {
    await expect(a.handle('/trustnet/mine/1.0.0', () => {})).rejects.toThrow('does not begin with /trustnet/')
  })

  it('speaks in frames over a stream of its own, up to the size that it says', async () => {
    await a.handle('/test/frames/1.0.0', async (stream) => {
      const frames = framed(stream, { maxBytes: 1_000 })
      for await (const frame of frames) await frames.write(frame.toReversed())
      await frames.close()
    })
    const frames = framed(await b.openStream('a', '/test/frames/1.0.0'))
    await frames.write(Buffer.from('abc'))
    await frames.write(Buffer.from('de'))
    expect([await frames.read(), await frames.read()].map((frame) => text(frame ?? new Uint8Array()))).toEqual([
      'cba',
      'ed'
    ])
    await frames.write(Buffer.alloc(1_001))
    await expect(frames.read()).rejects.toThrow(/reset|stream/)
    expect(() => framed(frames.stream, { maxBytes: 1e9 })).toThrow('4194304 is the most')
  })

  it('hears on its topics what members say, each message once, the same words again', async () => {
    const done = new AbortController()
    const heard: string[] = []
    const reading = (async () => {
      for await (const { member, data } of a.topic('news').messages({ signal: done.signal })) {
        heard.push(`${member.name}: ${text(data)}`)
      }
    })()
    // Its gossip reaches a member some time after the join.
    await eventually(async () => {
      await b
        .topic('news')
        .publish('first')
        .catch(() => {})
      return heard.length > 0
    })
    heard.length = 0
    await eventually(() =>
      b
        .topic('news')
        .publish(Buffer.from('twice'))
        .then(
          () => true,
          () => false
        )
    )
    await eventually(() =>
      b
        .topic('news')
        .publish(Buffer.from('twice'))
        .then(
          () => true,
          () => false
        )
    )
    await eventually(() => heard.filter((one) => one === 'b: twice').length === 2)
    await expect(b.topic('news').publish(Buffer.alloc(1_025))).rejects.toThrow('1025 bytes are more than the 1024')
    expect(() => b.topic('other')).toThrow("there is no topic 'other'")
    done.abort()
    await reading
  })

  it('passes nothing on of who says too much or too long on a topic, and names it', async () => {
    const topic = `/trustnet/${network.networkId}/app/news`
    const done = new AbortController()
    let heard = 0
    const reading = (async () => {
      for await (const { data } of a.topic('news').messages({ signal: done.signal })) if (data[0] === 7) heard++
    })()
    // As a program does that has changed its gossipsub.
    const { pubsub } = (b.libp2p as unknown as Host).services
    for (let i = 0; i < 150; i++) await pubsub?.publish(topic, Buffer.from([7, i]))
    const limits = async () => (await a.control.status()).limits.map(({ limit }) => limit)
    await eventually(async () => (await limits()).includes('announce.topicAuthor'))
    await pubsub?.publish(topic, Buffer.alloc(1_100, 7))
    await eventually(async () => (await limits()).includes('announce.topicBytes'))
    done.abort()
    await reading
    expect(heard).toBeGreaterThan(50)
    expect(heard).toBeLessThan(150)
    const flood = Array.from({ length: 60 }, async () => await a.topic('news').publish(Buffer.from('x')))
    const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
  })

  it('is told what happens to the others', async () => {
    const done = new AbortController()
    const changes = a.members.changes({ signal: done.signal })
    const next = changes.next()
    const c = await network.join('c')
    expect((await next).value).toMatchObject({ event: 'join', peer: { name: 'c', peerId: c.peerId } })
    await c.stop()
    for await (const { event, peer } of changes) if (event === 'leave' && peer.name === 'c') break
    done.abort()
  })

  it('has the metrics of the program in its host', async () => {
    expect(await measured.metrics()).toMatch(/^libp2p_noise_xxhandshake_successes_total [1-9]/m)
  })

  it('has the services of the program in its host, and shows them nobody but members', async () => {
    expect(b.libp2p.services.mine.seen).toEqual([])
    await using stranger = await netHost()
    let reached = 0
    await using d = await createNode({
      ...settings('d'),
      libp2p: {
        services: {
          open: ({ registrar }: { registrar: { handle(protocol: string, handler: () => void): Promise<void> } }) => ({
            start: async () => await registrar.handle('/test/service/1.0.0', () => void reached++),
            stop() {}
          })
        }
      }
    })
    await d.start()
    await d.joined({ signal: AbortSignal.timeout(ceilingMs) })
    const [address = ''] = d.libp2p.getMultiaddrs().map(String)
    const connection = await stranger.libp2p.dial(multiaddr(address))
    await connection.newStream('/test/service/1.0.0').catch(() => undefined)
    expect(reached).toBe(0)
    await b.openStream('d', '/test/service/1.0.0')
    await eventually(() => reached === 1)
  })
})
