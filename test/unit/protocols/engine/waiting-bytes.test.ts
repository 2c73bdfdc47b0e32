import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { holds, type Layers, WaitingBytes, waitingOn } from '../../../../src/protocols/engine/waiting-bytes.ts'

const { connection: limits } = limitsWith({
  connection: { waitingBytes: 1_000, waitingBytesOfPeer: 400, arrivedBytes: 300, arrivedBytesOfPeer: 200 }
})
const cut: string[] = []
let budget = new WaitingBytes(limits, () => {})

beforeEach(() => {
  vi.useFakeTimers()
  cut.length = 0
  budget = new WaitingBytes(limits, (connection, limit) => {
    cut.push(`${connection.id} ${limit}`)
    Reflect.set(connection, 'status', 'closed')
  })
})
afterEach(() => vi.useRealTimers())

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is looked at is there
const streamWith = (given: object) => given as Stream
const layers = (bytes: number): Layers => ({ streams: [streamWith({ writeBufferLength: bytes })], maConn: {} })

async function connectionOf(id: string): Promise<Connection> {
  const remotePeer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is looked at is there
  return { id, status: 'open', remotePeer } as Connection
}

test('counts what waits in each layer', () => {
  const stream = streamWith({ readBufferLength: 1, writeBufferLength: 2 })
  holds(stream, () => ({ arrived: 4, leaving: 128 }))
  const socket = { writableLength: 64 }
  const decoder = { buffer: { byteLength: 8 } }
  const maConn = { writeBufferLength: 16, stream: { writeBufferLength: 32, socket } }
  expect(waitingOn({ streams: [stream], decoder, maConn })).toEqual({ arrived: 13, leaving: 242 })
})

test('leaves those alone who stay within it', async () => {
  for (const id of ['a', 'b', 'c']) budget.goes(await connectionOf(id), layers(300), 1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(cut).toEqual([])
})

test('cuts a peer beyond its share, on all its connections', async () => {
  const a = await connectionOf('a')
  budget.goes(a, layers(300), 1)
  // oxlint-disable-next-line typescript/no-misused-spread -- a second connection of the same peer
  budget.goes({ ...a, id: 'a2' }, layers(300), 1)
  budget.goes(await connectionOf('b'), layers(100), 1)
  await vi.advanceTimersByTimeAsync(100)
  expect(cut).toEqual(['a connection.waitingBytesOfPeer', 'a2 connection.waitingBytesOfPeer'])
})

test('cuts those that hold most until the others are within the budget of all', async () => {
  for (const [id, bytes] of Object.entries({ a: 200, b: 390, c: 300, d: 380 })) {
    budget.goes(await connectionOf(id), layers(bytes), 1)
  }
  await vi.advanceTimersByTimeAsync(100)
  expect(cut).toEqual(['b connection.waitingBytes'])
})

test('looks at once when much came', async () => {
  budget.came(await connectionOf('a'), layers(500), 8 * 2 ** 20)
  expect(cut).toEqual(['a connection.waitingBytesOfPeer'])
})

test('has a budget of its own for what came and was not taken', async () => {
  const unread = (bytes: number): Layers => ({ streams: [streamWith({ readBufferLength: bytes })], maConn: {} })
  for (const [id, bytes] of Object.entries({ a: 250, b: 190, c: 150 }))
    budget.goes(await connectionOf(id), unread(bytes), 1)
  await vi.advanceTimersByTimeAsync(100)
  expect(cut).toEqual(['a connection.arrivedBytesOfPeer', 'b connection.arrivedBytes'])
})
