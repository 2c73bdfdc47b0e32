import type { Connection, StreamHandler } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { describe, expect } from 'vitest'
import { joinFrames } from '../../../src/protocols/engine/frame-parser.ts'
import { FrameCounter } from '../../../src/protocols/engine/libraries/frame-counter.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { membersOnly } from '../../../src/protocols/engine/trust/members-only.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

const protocol = '/library/1.0.0'
const { kad } = limitsWith()
const query = Uint8Array.of(8, 4)
const queries = 80_000
const streams = 8

/** What a library is given of the queries: at most in one turn of the event loop, and in all. */
interface Given {
  inTurn: number
  most: number
  all: number
}

/** A library that decodes whatever it is given at once, as those of libp2p do. */
const library = (given: Given) => (components: { registrar: Registrar }) => {
  const handler: StreamHandler = (stream) => {
    const counter = new FrameCounter(kad.frameBytes)
    stream.addEventListener('message', ({ data }) => {
      if (given.inTurn === 0) setImmediate(() => (given.inTurn = 0))
      const { frames } = counter.push(data)
      given.inTurn += frames
      given.all += frames
      given.most = Math.max(given.most, given.inTurn)
    })
  }
  return {
    start: async (): Promise<void> =>
      await components.registrar.handle(protocol, handler, { maxInboundStreams: streams }),
    stop: async (): Promise<void> => await components.registrar.unhandle(protocol)
  }
}

/** A member fills the windows of its streams with queries of three bytes; `until`: what the library was given then. */
async function filled(bounds: Pick<typeof kad, 'inbound' | 'leastBytes'> | object, until: number): Promise<Given> {
  const given: Given = { inTurn: 0, most: 0, all: 0 }
  const members: Members = new Map()
  const victim = await startMember<{ library: object }>({
    members,
    services: ({ trust }) => ({
      library: membersOnly(trust, library(given), { bounds: { section: 'kad', frameBytes: kad.frameBytes, ...bounds } })
    })
  })
  const attacker = await startMember({ members, services: () => ({}) })
  disposeAfterTest(victim, attacker)
  const connection: Connection = await connect(attacker.host, victim.host)
  const bytes = joinFrames(Array.from({ length: queries }, () => query))
  for (let opened = 0; opened < streams; opened++) {
    const stream = await connection.newStream(protocol, { maxOutboundStreams: streams })
    stream.send(bytes)
  }
  await expect.poll(() => given.all, { timeout: ceilingMs }).toBeGreaterThanOrEqual(until)
  return given
}

describe('a library that reads by itself', () => {
  attack('is given 80,000 tiny queries in one piece, on each of eight streams', async () => {
    const { most, all } = await filled({ inbound: kad.inbound, leastBytes: kad.leastBytes }, kad.inbound.count)
    expect(most).toBeLessThanOrEqual(2 * kad.inbound.count)
    expect(all).toBeLessThan(queries)
    return {
      happened: `${most} of them at most in one turn of the event loop`,
      held: '8 ms of a turn for all streams, kad.inbound'
    }
  })

  control('it gets thousands in one turn where nothing is charged', async () => {
    const { most } = await filled({}, queries)
    expect(most).toBeGreaterThan(1_000)
  })
})
