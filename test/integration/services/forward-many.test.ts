import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const many = 200
const piece = Buffer.alloc(64 * 1024, 7)
const go = Buffer.of(1)
/** Bytes of each, after which they are compared. */
const share = 8 * piece.byteLength

let network: TestNetwork
let service: Server

/** A service that greets, and when it is told to go sends without end as much as is taken of it. */
beforeAll(async () => {
  // On a busy machine places are given back late, and those that wait for their turn wait long.
  const patience = `${ceilingMs}ms`
  network = await TestNetwork.create({ 'protocols.forward.open': patience, 'protocols.forward.connect': patience })
  service = createServer((socket) => {
    const more = (): void => {
      while (socket.writable && socket.write(piece));
    }
    socket.on('error', () => {}).on('drain', more)
    socket.once('data', more).write('hello')
  }).listen(0, '::1')
  await once(service, 'listening')
  const [a, b] = [await network.join('a'), await network.join('b')]
  await eventually(() => a.registry.replica.state.memberByName('b') !== undefined)
  b.forwards.expose('endless', `[::1]:${(service.address() as AddressInfo).port}`)
})
afterAll(async () => {
  service.close()
  await network[Symbol.asyncDispose]()
})

interface Taker {
  socket: Socket
  /** All that came. */
  bytes: number
  /** Its greeting came: false when it was reset before. */
  greeted: Promise<boolean>
}

const take = (port: number): Taker => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '::1', port })
  const taker: Taker = { socket, bytes: 0, greeted: promise }
  socket.on('error', () => {}).once('close', () => resolve(false))
  socket.on('data', (chunk: Buffer) => {
    taker.bytes += chunk.byteLength
    resolve(true)
  })
  return taker
}

/** So many connections to one listener, each of which was greeted. */
const takeAll = async (port: number): Promise<Taker[]> => {
  const takers = Array.from({ length: many }, () => take(port))
  const greeted = await Promise.all(takers.map((each) => each.greeted))
  expect(greeted.filter((came) => !came)).toEqual([])
  return takers
}

const listening = async () => {
  const failures: string[] = []
  const listener = await network
    .node('a')
    .forwards.listen({ peer: 'b', service: 'endless' }, { onFailed: ({ message }) => failures.push(message) })
  return { listener, failures, port: Number(/\d+$/.exec(listener.address)?.[0]) }
}

describe(`${many} forwards at once`, () => {
  test('that end make room for as many at once, again and again', async () => {
    const { listener, failures, port } = await listening()
    await using _ = listener
    for (let round = 0; round < 3; round++) {
      const takers = await takeAll(port)
      for (const { socket } of takers) socket.destroy()
    }
    expect(failures).toEqual([])
  })

  test('that take all they are sent have about the same each, and one more is answered beside them', async () => {
    const { listener, failures, port } = await listening()
    await using _ = listener
    const takers = await takeAll(port)
    for (const { socket } of takers) socket.write(go)
    const sum = (): number => takers.reduce((all, { bytes }) => all + bytes, 0)
    await eventually(() => takers.every(({ bytes }) => bytes > piece.byteLength))
    const before = takers.map(({ bytes }) => bytes)
    const enough = sum() + many * share
    await eventually(() => sum() > enough)
    const came = takers.map(({ bytes }, at) => bytes - (before[at] ?? 0))
    const from = sum()
    const newcomer = take(port)
    expect(await newcomer.greeted).toBe(true)
    const meanwhile = sum() - from
    for (const { socket } of [...takers, newcomer]) socket.destroy()
    expect(failures).toEqual([])
    expect(Math.max(...came)).toBeLessThan(3 * Math.min(...came))
    // Turns of all others, in which its own come: not until one of them has nothing to send.
    expect(meanwhile).toBeLessThan(many * 4 * share)
  })
})
