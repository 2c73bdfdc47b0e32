import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { frozenHost } from '../../helpers/faults/frozen-host.ts'
import { netHost } from '../../helpers/hosts/net-hosts.ts'
import { spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { leaseAt } from '../../helpers/network-views.ts'

const protocol = '/example/echo/1.0.0'

const firstMessage = async (stream: Stream): Promise<string> =>
  await new Promise((resolve) => {
    const listener = ({ data }: StreamMessageEvent): void => resolve(Buffer.from(data.subarray()).toString())
    stream.addEventListener('message', listener, { once: true })
  })

const closed = async (stream: Stream): Promise<string> =>
  stream.status === 'open'
    ? await new Promise((resolve) => stream.addEventListener('close', () => resolve('closed')))
    : 'closed'

describe('a protocol of the program around the node', () => {
  it('is reached by members by their name, and knows who speaks', async () => {
    await using network = await TestNetwork.create()
    const a = network.make('a', { 'bootstrap.peers': [network.address('root')] })
    const spoke: string[] = []
    await a.handle(protocol, (stream, member) => {
      spoke.push(member.name)
      stream.addEventListener('message', ({ data }) => stream.send(data))
    })
    await a.start()
    await a.joined()
    const b = await network.join('b')
    await eventually(() => b.registry.records.read(a.key.publicKey) !== undefined)
    const stream = await b.openStream('a', protocol)
    const answer = firstMessage(stream)
    stream.send(Buffer.from('hello'))
    expect(await answer).toBe('hello')
    expect(spoke).toEqual(['b'])
    await stream.close()
  })

  it('is closed to those who have not proved membership', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
    const root = network.node('root')
    let reached = 0
    await root.handle(protocol, () => {
      reached++
    })
    await using stranger = await netHost()
    const connection = await stranger.libp2p.dial(multiaddr(network.address('root')))
    await expect(closed(await connection.newStream(protocol))).resolves.toBe('closed')
    expect(reached).toBe(0)
  })

  it('that throws ends its stream and nothing else', async () => {
    await using network = await TestNetwork.create()
    await network.node('root').handle(protocol, () => {
      throw new Error('a bug of the program')
    })
    const a = await network.join('a')
    const stream = await a.openStream('root', protocol)
    await closed(stream)
    expect(leaseAt(a)).toBe('root')
  })

  it('cannot be served twice', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    await root.handle(protocol, () => {})
    await expect(root.handle(protocol, () => {})).rejects.toThrow('served already')
  })
})

describe('the end of a node', () => {
  it('comes with a frozen registry and ten stalled connections', async () => {
    await using network = await TestNetwork.create()
    const inviteFile = await network.inviteFile({ role: 'secondary' })
    await using second = await spawnNode(network, 'second', { role: 'secondary', 'bootstrap.inviteFile': inviteFile })
    const address = `/ip6/::1/tcp/${second.port}/p2p/${second.peerId}`
    const a = await network.join('a', { 'bootstrap.peers': [address] })
    expect(leaseAt(a)).toBe('second')
    second.freeze()
    const stalled: Socket[] = []
    for (let i = 0; i < 10; i++) {
      const socket = connect({ host: '::1', port: a.attached.port }).on('error', () => {})
      await once(socket, 'connect')
      stalled.push(socket)
    }
    await a.stop()
    for (const socket of stalled) socket.destroy()
  })

  it('comes at once while the network is still looked for', async () => {
    await using network = await TestNetwork.create()
    await using frozen = await frozenHost()
    const a = await network.start('a', { 'bootstrap.peers': [frozen.address] })
    await eventually(() => frozen.accepted > 0)
    await a.stop()
    await expect(a.joined()).rejects.toThrow('the node stops')
  })

  it('may come while it starts, and twice', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    await a.stop()
    const again = network.make('a')
    const starting = again.start().catch((error: Error) => error)
    await Promise.all([again.stop(), again.stop()])
    await starting
    const third = await network.start('a')
    await third.joined({ signal: AbortSignal.timeout(ceilingMs) })
  })

  it('is final', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    await expect(a.start()).rejects.toThrow('started already')
    await a.stop()
    await expect(a.start()).rejects.toThrow('was stopped')
    await expect(a.until(() => false, AbortSignal.timeout(60_000))).rejects.toThrow('stops')
  })

  it('leaves nothing behind that keeps the process', async () => {
    await using network = await TestNetwork.create()
    await using child = await spawnNode(network, 'a')
    expect(await child.stop()).toBe(0)
    expect(child.log()).not.toContain('UnhandledPromiseRejection')
  })
})
