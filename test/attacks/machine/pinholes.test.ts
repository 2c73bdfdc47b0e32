import { describe, expect } from 'vitest'
import { Pinholes } from '../../../src/node/pinhole/pinholes.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { FakeClock } from '../../helpers/observations.ts'
import { PcpServer, pcpAnswer } from '../../helpers/servers/pcp-server.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

const day = 86_400_000
const minute = 60_000

/** A node behind a router that answers so, for a day of its clock. */
const dayBehind = async (answer: (request: Buffer, epoch: number) => Buffer[], patienceMs = ceilingMs) => {
  const server = await PcpServer.start()
  disposeAfterTest(server)
  const clock = new FakeClock()
  server.patienceMs = patienceMs
  server.answer = (request) => answer(request, Math.round(clock.monotonic() / 1_000))
  const pinholes = new Pinholes({
    targets: async () =>
      [9_000, 9_001].map((port) => ({ address: '::1', port, router: { address: '::1', device: 'lo' } })),
    secret: new Uint8Array(32),
    clock,
    logger: silentLogger,
    ask: server.ask
  })
  const states = new Set<string>()
  const until = clock.monotonic() + day
  for (let at = clock.monotonic(); at < until; at = clock.monotonic()) {
    const ms = (await pinholes.round(AbortSignal.timeout(ceilingMs))) ?? minute
    for (const { state, untilAt } of pinholes.all) {
      states.add(state)
      expect(untilAt).toBeLessThanOrEqual(clock.monotonic() + day)
    }
    clock.advance(Math.max(ms, 1))
  }
  return {
    states: [...states].join(),
    requests: server.asked.length,
    messages: pinholes.all.map((each) => each.message)
  }
}

describe('a router that lies to the nodes behind it', () => {
  /** Most requests of a day: one a minute for each of two ports. */
  const most = (2 * day) / minute

  attack('about times: none, and 136 years', async () => {
    const none = await dayBehind((request, epoch) => [pcpAnswer(request, { epoch, lifetime: 0 })])
    const always = await dayBehind((request, epoch) => [pcpAnswer(request, { epoch, lifetime: 2 ** 32 - 1 })])
    const short = await dayBehind((request, epoch) => [pcpAnswer(request, { epoch, lifetime: 1 })])
    expect([none.states, always.states, short.states]).toEqual(['refused', 'open', 'open'])
    expect(none.requests).toBeLessThanOrEqual(2 * (day / (5 * minute) + 1))
    expect(always.requests).toBeGreaterThan(1)
    expect(short.requests).toBeLessThanOrEqual(most + 2)
    return {
      happened: `${none.requests}, ${always.requests} and ${short.requests} requests in a day; none is taken for open that is not`,
      held: 'pinholes: a minute between two requests, a day without one'
    }
  })

  attack('about where: the address of somebody else, whom members are to be sent to', async () => {
    const { states, messages } = await dayBehind((request, epoch) => [
      pcpAnswer(request, { epoch, address: '2001:db8::bad', port: 80 })
    ])
    expect(states).toBe('refused')
    expect(new Set(messages)).toEqual(new Set(['it offers [2001:db8::bad]:80, which is none of this node']))
    return { happened: 'it is shown as a refusal, and announced to nobody', held: 'pinholes: the own address alone' }
  })

  attack('with nonsense, long messages, and a thousand answers to each request', async () => {
    const nonsense = (request: Buffer): Buffer[] => [
      Buffer.alloc(0),
      Buffer.alloc(60_000, 0x82),
      Buffer.concat([pcpAnswer(request), Buffer.alloc(2_000)]),
      ...Array.from({ length: 997 }, () => Buffer.from('HTTP/1.1 200 OK'))
    ]
    const { states, requests } = await dayBehind(nonsense, 100)
    expect(states).toBe('silent')
    expect(requests).toBeLessThan(4 * 100)
    return {
      happened: `${requests} requests in a day, each ended after 64 messages that are no answer`,
      held: 'pinholes: 64 messages of a request'
    }
  })

  attack('by forgetting, in each of its answers, all that it gave', async () => {
    let epoch = 2 ** 31
    const { states, requests } = await dayBehind((request) => {
      epoch -= 1_000
      return [pcpAnswer(request, { epoch })]
    })
    expect(states).toBe('open')
    expect(requests).toBeLessThanOrEqual(most)
    return { happened: `${requests} requests in a day`, held: 'pinholes: a router forgets once a minute' }
  })

  control('opens the pinhole, and is asked for it at half of its time', async () => {
    const { states, requests } = await dayBehind((request, epoch) => [pcpAnswer(request, { epoch, lifetime: 3_600 })])
    expect([states, requests]).toEqual(['open', 96])
  })
})
