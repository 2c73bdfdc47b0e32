import { randomBytes } from 'node:crypto'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import type { Connection, Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { announceTopic, gossipOptions } from '../../../../src/protocols/announce/options.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { connect, startHost, startPlainHost, withSockets } from '../../../helpers/hosts.ts'

withSockets()

const networkId = new Uint8Array(randomBytes(32))
const topic = announceTopic(networkId)
const limits = defaultLimits.announce
const protocol = '/meshsub/1.1.0'

let member: Libp2p<{ pubsub: GossipSub }>
let attacker: Libp2p
let connection: Connection
beforeEach(async () => {
  member = await startHost({ pubsub: gossipsub(gossipOptions(networkId)) })
  await startAttacker()
})
afterEach(async () => {
  await Promise.all([member.stop(), attacker.stop()])
})

async function startAttacker(): Promise<void> {
  attacker = await startPlainHost()
  // Gossipsub listens only to peers that speak it.
  await attacker.handle(protocol, (stream) => stream.addEventListener('message', () => {}))
  connection = await connect(attacker, member)
  await expect.poll(gossipers).toEqual([attacker.peerId.toString()])
}

const gossipers = (): string[] => member.services.pubsub.getPeers().map(String)

/** One field of a protobuf message. */
const field = (number: number, bytes: Uint8Array): Buffer => {
  return Buffer.concat([Uint8Array.of((number << 3) | 2), varint(bytes.length), bytes])
}
const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}
const subscription = (name: string, subscribe = 1): Buffer =>
  field(1, Buffer.concat([Uint8Array.of(8, subscribe), field(2, Buffer.from(name))]))
const message = (): Buffer => field(2, field(4, Buffer.from(topic)))
const graft = (): Buffer => field(3, field(1, Buffer.from(topic)))
const many = (count: number, make: () => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, make))
const framed = (rpc: Buffer): Buffer => Buffer.concat([varint(rpc.length), rpc])

/** True when the member took a frame: the subscription in it. The frame behind it takes that back. */
const takes = async (rpc: Buffer): Promise<boolean> => {
  const told: boolean[] = []
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const onChange = ({ detail }: CustomEvent<{ subscriptions: { subscribe: boolean }[] }>): void => {
    told.push(...detail.subscriptions.map(({ subscribe }) => subscribe))
    if (told.includes(false)) resolve(told.includes(true))
  }
  member.services.pubsub.addEventListener('subscription-change', onChange)
  const stream = await connection.newStream(protocol)
  stream.send(framed(Buffer.concat([rpc, subscription(topic)])))
  stream.send(framed(subscription(topic, 0)))
  const taken = await promise
  member.services.pubsub.removeEventListener('subscription-change', onChange)
  stream.abort(new Error('done'))
  return taken
}

describe('gossip of a hostile member', () => {
  it.each([
    ['subscriptions', limits.subscriptions - 1, (count: number) => many(count, () => subscription('x'))],
    ['messages', limits.messages, (count: number) => many(count, message)],
    ['control messages', limits.control, (count: number) => field(3, many(count, graft))]
  ])('is taken with as many %s in a frame as allowed, and dropped with one more', async (_what, most, make) => {
    expect(await takes(make(most))).toBe(true)
    expect(await takes(make(most + 1))).toBe(false)
  })

  it('subscribes to nothing but the topic of the network', async () => {
    expect(await takes(subscription('another'))).toBe(true)
    expect(member.services.pubsub.getSubscribers('another')).toEqual([])
  })

  it('is no peer of gossip any more by a frame that is too long, and a flood of them leaves nothing behind', async () => {
    const flood = framed(many(349_525, () => subscription('t')))
    const before = process.memoryUsage().rss
    for (let count = 0; count < 10; count++) {
      const stream = await connection.newStream(protocol)
      stream.send(flood)
      await expect.poll(gossipers).toEqual([])
      await attacker.stop()
      await startAttacker()
    }
    expect(await takes(Buffer.alloc(0))).toBe(true)
    // The attacker is in this process, too, with 4 MB of each flood.
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 2 ** 20)
  })
})
