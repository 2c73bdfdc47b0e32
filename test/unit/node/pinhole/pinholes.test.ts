import { afterEach, describe, expect, test } from 'vitest'
import { Pinholes, type Target } from '../../../../src/node/pinhole/pinholes.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { FakeClock } from '../../../helpers/observations.ts'
import { type PcpAnswer, PcpServer, pcpAnswer } from '../../../helpers/servers/pcp-server.ts'

const minute = 60_000
const hour = 60 * minute

const started: PcpServer[] = []
afterEach(async () => {
  for (const server of started.splice(0)) await server[Symbol.asyncDispose]()
})

const targetOf = (port: number, router = '::1'): Target => ({
  address: '::1',
  port,
  router: { address: router, device: 'lo' }
})

const start = async (targets: Target[] = [targetOf(9_000)]) => {
  const server = await PcpServer.start()
  started.push(server)
  const clock = new FakeClock()
  /** An answer of a router that has held all it gave since the begin. */
  const right = (request: Buffer, answer: PcpAnswer = {}): Buffer[] => [
    pcpAnswer(request, { epoch: Math.round(clock.monotonic() / 1_000), ...answer })
  ]
  server.answer = (request) => right(request)
  const pinholes = new Pinholes({
    targets: async () => targets,
    secret: new Uint8Array(32),
    clock,
    logger: silentLogger,
    ask: server.ask
  })
  const round = async () => await pinholes.round(AbortSignal.timeout(ceilingMs))
  return { server, clock, pinholes, targets, round, right }
}

const lifetimes = ({ asked }: PcpServer): number[] => asked.map(({ lifetimeSeconds }) => lifetimeSeconds)

describe('a pinhole', () => {
  test('is asked for, renewed at half of its time with the same nonce, and closed at the end', async () => {
    const { server, clock, pinholes, round } = await start()
    expect(await round()).toBe(hour / 2)
    expect(pinholes.all).toMatchObject([{ address: '::1', port: 9_000, state: 'open', message: null }])
    clock.advance(hour / 2 - 1)
    await round()
    expect(server.asked.length).toBe(1)
    clock.advance(1)
    await round()
    await pinholes.close()
    expect(lifetimes(server)).toEqual([3_600, 3_600, 0])
    const nonces = server.asked.map(({ nonce }) => Buffer.from(nonce).toString('hex'))
    expect(new Set(nonces).size).toBe(1)
  })

  test('that the router refuses is asked for again when it says so, within bounds', async () => {
    const { server, clock, pinholes, round, right } = await start()
    server.answer = (request) => right(request, { code: 8, lifetime: 0 })
    expect(await round()).toBe(5 * minute)
    expect(pinholes.all).toMatchObject([{ state: 'refused', message: 'it has no room for more' }])
    server.answer = (request) => right(request, { code: 8, lifetime: 2 ** 32 - 1 })
    clock.advance(5 * minute)
    expect(await round()).toBe(hour)
    server.answer = (request) => right(request)
    clock.advance(hour)
    await round()
    expect(pinholes.all).toMatchObject([{ state: 'open', message: null }])
  })

  test('stays open until its time is over when the router falls silent, which is asked less and less often', async () => {
    const { server, clock, pinholes, round } = await start()
    await round()
    server.answer = () => []
    server.patienceMs = 20
    clock.advance(hour / 2)
    expect(await round()).toBe(minute)
    expect(pinholes.all).toMatchObject([{ state: 'open', message: 'the router does not answer' }])
    clock.advance(hour / 2)
    expect(await round()).toBe(2 * minute)
    expect(pinholes.all).toMatchObject([{ state: 'silent', message: 'the router does not answer' }])
    for (const ms of [4, 8, 16, 17.066_666]) {
      clock.advance(hour)
      expect(Math.round((await round()) ?? 0)).toBe(Math.round(ms * minute))
    }
  })

  test('is asked for again after a sleep of this machine in which its time went on', async () => {
    const { server, clock, round, right } = await start()
    let sleptMs = 0
    Object.assign(clock, { elapsed: () => clock.monotonic() + sleptMs })
    await round()
    sleptMs = hour
    server.answer = (request) => right(request, { epoch: Math.round((clock.monotonic() + hour) / 1_000) })
    await round()
    expect(server.asked.length).toBe(2)
  })

  test('of a router at which nobody listens is silent, and nothing fails', async () => {
    const { server, pinholes, round } = await start()
    await server[Symbol.asyncDispose]()
    started.length = 0
    await round()
    expect(pinholes.all).toMatchObject([{ state: 'silent' }])
    expect(pinholes.all[0]?.message).toContain('nobody listens there')
    await pinholes.close()
  })

  test('of a router to which there is no way any more is silent, and nothing fails', async () => {
    const { server, pinholes, round } = await start([targetOf(9_000, 'fe80::1%gone')])
    await round()
    expect(pinholes.all).toMatchObject([{ state: 'silent', message: expect.stringMatching(/./) }])
    expect(server.asked.length).toBe(1)
    await pinholes.close()
  })

  test('ends with its address, and another one is asked for at once', async () => {
    const { server, pinholes, targets, round } = await start()
    await round()
    targets[0] = targetOf(9_001)
    await round()
    expect(pinholes.all.map(({ port, state }) => [port, state])).toEqual([[9_001, 'open']])
    expect(server.asked.map(({ port }) => port)).toEqual([9_000, 9_001])
    targets.length = 0
    expect(await round()).toBeUndefined()
  })
})

describe('a router that has forgotten what it held', () => {
  test('is asked anew for all of it, when an answer shows that', async () => {
    const { server, clock, targets, round, right } = await start()
    await round()
    clock.advance(10 * minute)
    targets.push(targetOf(9_001))
    await round()
    clock.advance(20 * minute)
    server.answer = (request) => right(request, { epoch: 3 })
    expect(await round()).toBeLessThanOrEqual(5_000)
    server.answer = (request) => right(request, { epoch: 8 })
    clock.advance(5_000)
    await round()
    expect(server.asked.map(({ port }) => port)).toEqual([9_000, 9_001, 9_000, 9_001])
  })

  test('may say so unasked, and is heard once a minute', async () => {
    const { clock, pinholes, round } = await start()
    await round()
    expect(pinholes.heard('fe80::bad%lo', 0)).toBe(false)
    clock.advance(10_000)
    expect(pinholes.heard('::1', 11)).toBe(false)
    expect(pinholes.heard('::1', 0)).toBe(true)
    expect(await round()).toBeLessThanOrEqual(5_000)
    for (let second = 0; second < 50; second++) {
      clock.advance(1_000)
      expect(pinholes.heard('::1', second % 2 === 0 ? 9_999 : 0)).toBe(false)
    }
    clock.advance(20_000)
    expect(pinholes.heard('::1', 0)).toBe(true)
  })
})
