import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BlockAnswer } from '../../../src/protocols/blocks/pb/blocks.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import { ForwardAnswer } from '../../../src/protocols/forward/pb/forward.ts'
import { Hello as HelloMessage } from '../../../src/protocols/hello/pb/hello.ts'
import { LookupAnswer } from '../../../src/protocols/lookup/pb/lookup.ts'
import { HopMessage, StopMessage } from '../../../src/protocols/relay/pb/circuit.ts'
import { SyncFrame } from '../../../src/protocols/sync/pb/sync.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { startPlainHost } from '../../helpers/hosts.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
let host: Libp2p
let connection: Connection
const protocols: string[] = []

/** All that a real root speaks, to a machine that is no member of its network. */
beforeAll(async () => {
  network = await TestNetwork.create({ 'admission.policy': 'invite' })
  protocols.push(...network.node('root').attached.host.getProtocols())
  host = await startPlainHost()
  connection = await host.dial(multiaddr(network.address('root')))
})
afterAll(async () => {
  await host.stop()
  await network[Symbol.asyncDispose]()
})

const { stream: limits } = limitsWith()

/** The first thing that is said on a stream after these bytes; undefined: it was reset. */
async function answerTo(protocol: string, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const stream = await connection.newStream(protocol).catch(() => undefined)
  if (stream === undefined) return undefined
  const frames = new FrameStream(stream, { maxFrame: 262_144, limits })
  try {
    await frames.write(bytes)
    return await frames.read({ signal: AbortSignal.timeout(ceilingMs) })
  } catch {
    return undefined
  } finally {
    frames.abort(new Error('done'))
  }
}

const ended = (stream: Stream): Promise<void> =>
  new Promise((resolve) => (stream.status === 'open' ? stream.addEventListener('close', () => resolve()) : resolve()))

describe('a stranger', () => {
  it('meets protocols that it knows all of: none is served by accident', () => {
    const known =
      /^\/(ipfs\/(id\/1\.0\.0|id\/push\/1\.0\.0|ping\/1\.0\.0)|meshsub\/1\.[0-3]\.0|trustnet\/(hello|register|sync|lookup|probe|admin|blocks|forward)\/1\.0\.0|trustnet\/tn\w+\/kad\/1\.0\.0|libp2p\/circuit\/relay\/0\.2\.0\/(hop|stop))$/
    expect(protocols.filter((protocol) => !known.test(protocol))).toEqual([])
    expect(protocols.length).toBeGreaterThanOrEqual(9)
  })

  it('is told by hello that it is no member', async () => {
    const answer = await answerTo('/trustnet/hello/1.0.0', HelloMessage.encode({ version: 1 }))
    expect(HelloMessage.decode(answer ?? new Uint8Array()).status).toBe(statuses.NOT_MEMBER)
  })

  it('is told NOT_MEMBER by sync, lookup, blocks and forward', async () => {
    const request = Uint8Array.of(8, 1)
    const sync = await answerTo('/trustnet/sync/1.0.0', request)
    expect(SyncFrame.decode(sync ?? new Uint8Array()).start?.status).toBe(statuses.NOT_MEMBER)
    const lookup = await answerTo('/trustnet/lookup/1.0.0', request)
    expect(LookupAnswer.decode(lookup ?? new Uint8Array()).status).toBe(statuses.NOT_MEMBER)
    const blocks = await answerTo('/trustnet/blocks/1.0.0', request)
    expect(BlockAnswer.decode(blocks ?? new Uint8Array()).status).toBe(statuses.NOT_MEMBER)
    const forward = await answerTo('/trustnet/forward/1.0.0', request)
    expect(ForwardAnswer.decode(forward ?? new Uint8Array()).status).toBe(statuses.NOT_MEMBER)
  })

  it('is told by a relay, and as one, that it may not', async () => {
    const hop = await answerTo('/libp2p/circuit/relay/0.2.0/hop', HopMessage.encode({ type: 0 }))
    expect(HopMessage.decode(hop ?? new Uint8Array()).status).toBe(202)
    const stop = await answerTo('/libp2p/circuit/relay/0.2.0/stop', StopMessage.encode({ type: 0 }))
    expect(StopMessage.decode(stop ?? new Uint8Array()).status).toBe(202)
  })

  it.each(['meshsub', 'kad', 'ping'])('has every stream of %s reset, without a word', async (part) => {
    const mine = protocols.filter((protocol) => protocol.includes(part))
    expect(mine.length).toBeGreaterThan(0)
    for (const protocol of mine) {
      let said = 0
      const stream = await connection.newStream(protocol).catch(() => undefined)
      if (stream === undefined) continue
      stream.addEventListener('message', ({ data }) => {
        said += data.byteLength
      })
      if (stream.writeStatus === 'writable') stream.send(new Uint8Array(32).fill(1))
      await ended(stream)
      expect(said).toBe(0)
    }
    expect(connection.status).toBe('open')
  })

  it('is nobody to gossip and DHT, and the members notice nothing', async () => {
    const { services } = network.node('root').attached.host
    expect(services.pubsub?.getPeers().map(String)).not.toContain(host.peerId.toString())
    const invited = network.make('a', { 'bootstrap.peers': [network.address('root')] })
    invited.invites.use(await network.invite({ role: 'integrated' }))
    await invited.start()
    await invited.joined({ signal: AbortSignal.timeout(ceilingMs) })
    await eventually(() => services.pubsub?.getPeers().map(String).includes(invited.peerId) === true)
  })
})
