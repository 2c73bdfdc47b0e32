import type { Connection, Stream } from '@libp2p/interface'
import { PING_PROTOCOL } from '@libp2p/ping'
import { afterEach, describe, expect, it } from 'vitest'
import type { Role } from '../../../src/identity/role.ts'
import { inTurn, PingMonitor } from '../../../src/node/peers/ping-monitor.ts'
import { member, stopOpened, twoMembers } from '../../helpers/hosts/hello-hosts.ts'
import { connect } from '../../helpers/hosts.ts'
import { eventually } from '../../helpers/network.ts'

afterEach(stopOpened)

/** A node, and a registry that answers pings on its connections after as many ms as it is told; undefined: never. */
const nodeAndRegistry = async ({
  silentMs = 60_000,
  role = 'root',
  sample
}: {
  silentMs?: number
  role?: Role
  sample?: number
} = {}) => {
  const { network, a, b } = await twoMembers()
  const registry = await member(network, a, role)
  const node = await member(network, b, 'integrated')
  const answers = { afterMs: [] as (number | undefined)[], areTrue: true }
  const order: string[] = []
  await registry.host.handle(PING_PROTOCOL, (stream: Stream, { remoteAddr }: Connection) => {
    const index = order.includes(remoteAddr.toString())
      ? order.indexOf(remoteAddr.toString())
      : order.push(remoteAddr.toString()) - 1
    const ms = answers.afterMs[index]
    if (ms === undefined) return
    stream.addEventListener('message', ({ data }) =>
      setTimeout(() => stream.send(answers.areTrue ? data : new Uint8Array(data.byteLength)), ms)
    )
  })
  const connection = await connect(node.host, registry.host)
  await Promise.all([node.proven, registry.proven])
  const closed: Connection[] = []
  const bytes = { in: 0 }
  const trips = new PingMonitor({
    trust: node.trust,
    silentMs,
    ...(sample !== undefined && { sample }),
    received: () => bytes.in,
    onSilent: (one) => closed.push(one)
  })
  const peerId = registry.host.peerId.toString()
  const another = async (): Promise<Connection> => {
    const [address] = registry.host.getMultiaddrs()
    if (address === undefined) throw new Error('the registry listens on no address')
    const second = await node.host.dial(address, { force: true })
    await eventually(() => node.trust.isMember(second))
    return second
  }
  return { trips, connection, another, answers, closed, bytes, peerId }
}

describe('a connection on which no ping is answered', () => {
  it('stays for as long as bytes arrive on it: whatever is asked there is only behind something else', async () => {
    const { trips, connection, answers, closed, bytes } = await nodeAndRegistry({ silentMs: 1_000 })
    answers.afterMs = [0]
    await trips.doubt(connection)
    answers.afterMs = [undefined]
    const coming = setInterval(() => (bytes.in += 1_000), 100)
    for (let look = 0; look < 2; look++) await trips.look(0, connection)
    expect(closed).toEqual([])
    clearInterval(coming)
    await trips.look(0, connection)
    expect(closed).toContain(connection)
    trips.stop()
  })
})

describe('more connections than are pinged at once', () => {
  it('take turns, all of them', () => {
    const all = Array.from({ length: 10 }, (_, at) => at)
    expect(inTurn(all, 0, 4)).toEqual([0, 1, 2, 3])
    expect(inTurn(all, 4, 4)).toEqual([4, 5, 6, 7])
    expect(inTurn(all, 8, 4)).toEqual([8, 9, 0, 1])
    expect(inTurn(all, 12, 4)).toEqual([2, 3, 4, 5])
    expect(inTurn([1, 2], 7, 4)).toEqual([2, 1])
    expect(inTurn([], 7, 4)).toEqual([])
  })

  it('are all pinged after some rounds', async () => {
    const { trips, connection, another, answers } = await nodeAndRegistry({ sample: 1, role: 'integrated' })
    answers.afterMs = [0, 0]
    const second = await another()
    for (let round = 0; round < 2; round++) await trips.look(0, connection)
    expect(trips.answeringForMs(second)).toBeGreaterThan(0)
    trips.stop()
  })
})

describe('a connection that is doubted', () => {
  it('is given up when a ping is not answered and nothing else comes', async () => {
    const { trips, connection, closed, peerId } = await nodeAndRegistry()
    await trips.doubt(connection)
    expect(closed).toEqual([connection])
    expect(trips.of(peerId)).toBeUndefined()
    trips.stop()
  })

  it('stays when it answers, and shows how long that took', async () => {
    const { trips, connection, answers, closed, peerId } = await nodeAndRegistry()
    answers.afterMs = [20]
    await trips.doubt(connection)
    expect(closed).toEqual([])
    expect(trips.isSilent(connection)).toBe(false)
    expect(trips.of(peerId)).toBeGreaterThan(15)
    expect(trips.answeredAgeMs(peerId)).toBeDefined()
    trips.stop()
  })

  it('has no time when other bytes come back than were sent: they may have been on their way before', async () => {
    const { trips, connection, answers, peerId } = await nodeAndRegistry()
    Object.assign(answers, { afterMs: [0], areTrue: false })
    await trips.look(0, connection)
    expect(trips.of(peerId)).toBeUndefined()
    answers.areTrue = true
    await trips.look(0, connection)
    expect(trips.of(peerId)).toBeGreaterThan(0)
    trips.stop()
  })

  it('stays while it carries something else, though the time of a ping that had begun before is over; then it is asked again', async () => {
    const { trips, connection, answers, closed, bytes } = await nodeAndRegistry()
    const coming = setInterval(() => (bytes.in += 1_000), 400)
    const looking = trips.look(0, connection)
    await new Promise((resolve) => setTimeout(resolve, 2_800))
    await trips.doubt(connection)
    clearInterval(coming)
    await looking
    expect(closed).toEqual([])
    expect(trips.isSilent(connection)).toBe(true)
    answers.afterMs = [0]
    await trips.look(0, connection)
    expect(trips.isSilent(connection)).toBe(false)
    trips.stop()
  })

  it('is given up beside one of the same member that answers, but not for an answer of that one from before', async () => {
    const { trips, connection, another, answers, closed, bytes, peerId } = await nodeAndRegistry()
    answers.afterMs = [0, 0]
    const second = await another()
    await trips.look(0, second)
    expect(trips.of(peerId)).toBeDefined()
    const coming = setInterval(() => (bytes.in += 1_000), 400)
    // The registry is busy: it answers on neither.
    answers.afterMs = [undefined, undefined]
    await trips.doubt(connection)
    expect(closed).toEqual([])
    answers.afterMs = [undefined, 0]
    await trips.look(0, connection)
    clearInterval(coming)
    expect(closed).toEqual([connection])
    trips.stop()
  })
})
