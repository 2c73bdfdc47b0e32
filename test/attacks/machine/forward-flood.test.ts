import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect } from 'vitest'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { ceilingMs, hungMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

const { ofListener } = defaultLimits.forward
/** All of them take a minute; some hundreds meet the same limits. */
const many = process.env['ATTACKS_LONG'] === 'true' ? 10_000 : 600
const waveOf = 200

/** Two members, of which one listens for a service of the other that greets whoever connects. */
const pair = async () => {
  // On a busy machine those that wait for their turn wait long.
  const network = await TestNetwork.create({ 'protocols.forward.open': `${ceilingMs}ms` })
  disposeAfterTest(network)
  const service = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('hello')
  }).listen(0, '::1')
  disposeAfterTest({ [Symbol.asyncDispose]: async () => void service.close() })
  await once(service, 'listening')
  const [a, b] = [await network.join('a'), await network.join('b')]
  await eventually(() => a.registry.replica.state.memberByName('b') !== undefined)
  b.forwards.expose('web', `[::1]:${(service.address() as AddressInfo).port}`)
  const listener = await a.forwards.listen({ peer: 'b', service: 'web' })
  return { a, b, listener }
}

/** Connects, and resolves when it is greeted or reset. */
const dial = async (port: number, kept: Set<Socket>): Promise<void> => {
  const socket = connect({ host: '::1', port })
  kept.add(socket)
  socket.on('error', () => {}).once('close', () => kept.delete(socket))
  await new Promise<void>((resolve) => {
    socket.once('data', () => resolve()).once('close', () => resolve())
  })
}

/** So many connections, in waves; each is kept as long as it is not reset. Then one more, when all are gone. */
const flood = async (count: number) => {
  const { a, b, listener } = await pair()
  const port = Number(/\]:(\d+)/.exec(listener.address)?.[1])
  const kept = new Set<Socket>()
  let most = 0
  for (let made = 0; made < count; made += waveOf) {
    await Promise.all(Array.from({ length: Math.min(waveOf, count - made) }, () => dial(port, kept)))
    most = Math.max(most, b.forwards.live.list().length)
  }
  const served = kept.size
  for (const socket of kept) socket.destroy()
  await eventually(() => [a, b].every(({ forwards }) => forwards.live.list().length === 0) && listener.open === 0)
  const bytes = await a.forwards.call({ peer: 'b', service: 'web' })
  const [hello] = (await once(bytes, 'data')) as [Buffer]
  bytes.destroy()
  return { served, most, taken: listener.taken, failed: listener.failed, after: hello.toString() }
}

describe('a program that connects without end to one forward', () => {
  attack(
    `${many} times, to use up the places and the descriptors of both machines`,
    async () => {
      const { served, most, taken, failed, after } = await flood(many)
      expect([taken, failed, after]).toEqual([many, many - served, 'hello'])
      expect(served).toBeLessThanOrEqual(ofListener)
      expect(most).toBeLessThanOrEqual(ofListener)
      return {
        happened: `${taken} connections: ${served} open at a time, ${failed} reset; afterwards the next one is served`,
        held: 'forward.ofListener'
      }
    },
    hungMs
  )

  control('has as many as it wants within the limit', async () => {
    expect(await flood(64)).toMatchObject({ served: 64, most: 64, failed: 0, after: 'hello' })
  })
})
