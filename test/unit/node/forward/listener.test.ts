import { connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ForwardListener } from '../../../../src/node/forward/listener.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { eventually } from '../../../helpers/network.ts'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

const open = async (most: number, join: (socket: Socket) => Promise<unknown>, waitMs = ceilingMs) => {
  const failures: string[] = []
  const listener = await ForwardListener.open({
    service: 'web',
    host: '::1',
    port: 0,
    most,
    waitMs,
    join,
    onFailed: ({ name }) => failures.push(name)
  })
  return { listener, failures }
}

const dial = async (listener: ForwardListener): Promise<Socket> => {
  const socket = connect({ host: '::1', port: Number(listener.address.split(':').at(-1)) })
  sockets.push(socket)
  // One that is reset may have failed before it was connected.
  await new Promise<void>((done) => {
    socket.once('connect', done).once('error', () => done())
  })
  socket.on('error', () => {}).resume()
  return socket
}

const greet = (onJoined: () => void) => async (socket: Socket) => {
  onJoined()
  socket.once('end', () => socket.end()).resume()
}

test('one that comes when all places are taken has the next one that is given back, and as many wait as there are places', async () => {
  const most = 4
  let joined = 0
  const { listener, failures } = await open(
    most,
    greet(() => joined++)
  )
  await using _ = listener
  const held = await Promise.all(Array.from({ length: most }, () => dial(listener)))
  await eventually(() => joined === most)
  const next = await Promise.all(Array.from({ length: most + 1 }, () => dial(listener)))
  await eventually(() => next.some(({ closed }) => closed))
  expect(failures).toEqual(['LimitError'])
  for (const socket of held) socket.destroy()
  await eventually(() => joined === 2 * most)
  expect([next.filter(({ closed }) => !closed).length, listener.open, listener.failed]).toEqual([most, most, 1])
})

test('those that wait for a place end with the listener', async () => {
  const { listener, failures } = await open(
    1,
    greet(() => {})
  )
  const both = [await dial(listener), await dial(listener)]
  await eventually(() => listener.taken === 2)
  await listener[Symbol.asyncDispose]()
  await eventually(() => both.every(({ closed }) => closed))
  expect(failures).toEqual([])
})

test('a program that connects without end has so many connections at a time: one more is reset, until one of them ends', async () => {
  const most = 4
  let joined = 0
  const { listener, failures } = await open(
    most,
    greet(() => joined++),
    1
  )
  await using _ = listener
  const held = await Promise.all(Array.from({ length: most }, () => dial(listener)))
  await eventually(() => joined === most)
  const beyond = await Promise.all(Array.from({ length: 20 }, () => dial(listener)))
  await eventually(() => beyond.every(({ closed }) => closed))
  expect([joined, listener.open, listener.taken, listener.failed]).toEqual([most, most, most + 20, 20])
  expect(new Set(failures)).toEqual(new Set(['LimitError']))
  expect(held.some(({ closed }) => closed)).toBe(false)
  held[0]?.destroy()
  await eventually(() => listener.open === most - 1)
  const again = await dial(listener)
  await eventually(() => joined === most + 1)
  expect(again.closed).toBe(false)
})

test('what comes to nothing is told and counted, and the end of the listener is none of that', async () => {
  const { listener, failures } = await open(4, async () => {
    throw new TypeError('nobody answers')
  })
  await dial(listener)
  await eventually(() => listener.failed === 1)
  expect(failures).toEqual(['TypeError'])
  await listener[Symbol.asyncDispose]()
  expect([listener.failed, failures.length]).toEqual([1, 1])
})

test('an address that is taken is named as it was given', async () => {
  const { listener } = await open(1, async () => {})
  const port = Number(listener.address.split(':').at(-1))
  const again = ForwardListener.open({
    service: 'web',
    host: '::1',
    port,
    most: 1,
    waitMs: ceilingMs,
    join: async () => {},
    onFailed: () => {}
  })
  await expect(again).rejects.toThrow(`${listener.address} cannot be listened on: the address is taken`)
  await listener[Symbol.asyncDispose]()
})
