import { streamPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { SessionFrame } from '../../../../src/protocols/register/pb/register.ts'
import { Requests } from '../../../../src/protocols/register/pending-requests.ts'

const minute = 60_000
const limits = limitsWith().stream

/** Requests of one side, and the frames that the other side reads. */
async function session(maxInFlight: number) {
  const [near, far] = await streamPair()
  const other = new FrameStream(far, { maxFrame: 1_024, limits })
  const requests = new Requests(new FrameStream(near, { maxFrame: 1_024, limits }), maxInFlight)
  const next = async (): Promise<SessionFrame> => SessionFrame.decode((await other.read()) ?? new Uint8Array())
  return { requests, next }
}

describe('requests on one session', () => {
  it('are not sent when they were given up while they waited for their turn, and hold nobody up', async () => {
    const { requests, next } = await session(1)
    const first = requests.ask({ ping: 1 }, minute)
    const giveUp = new AbortController()
    const second = requests.ask({ ping: 2 }, minute, giveUp.signal)
    const third = requests.ask({ ping: 3 }, minute)
    giveUp.abort()
    // At once, and not when its turn comes.
    await expect(second).rejects.toThrow('given up')
    const sent = await next()
    expect(sent.ping).toBe(1)
    requests.answer({ id: sent.id, pong: true })
    await expect(first).resolves.toMatchObject({ pong: true })
    const after = await next()
    expect(after.ping).toBe(3)
    requests.answer({ id: after.id, pong: true })
    await expect(third).resolves.toMatchObject({ pong: true })
  })

  it('pass their turn on when they are given up in the moment that it comes', async () => {
    const { requests, next } = await session(1)
    const first = requests.ask({ ping: 1 }, minute)
    const giveUp = new AbortController()
    const second = requests.ask({ ping: 2 }, minute, giveUp.signal)
    const third = requests.ask({ ping: 3 }, minute)
    const { id } = await next()
    requests.answer({ id, pong: true })
    giveUp.abort()
    await first
    await expect(second).rejects.toThrow('given up')
    expect((await next()).ping).toBe(3)
    requests.end(new Error('over'))
    await expect(third).rejects.toThrow('over')
  })

  it('end with the session, those that wait for their turn too', async () => {
    const { requests } = await session(1)
    const asked = [requests.ask({ ping: 1 }, minute), requests.ask({ ping: 2 }, minute)]
    requests.end(new Error('over'))
    for (const each of asked) await expect(each).rejects.toThrow('over')
    await expect(requests.ask({ ping: 3 }, minute)).rejects.toThrow('over')
  })
})
