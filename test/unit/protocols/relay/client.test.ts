import type { Stream } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { afterEach, expect, it } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { openCircuit, reserveAt } from '../../../../src/protocols/relay/client.ts'
import { hopId } from '../../../../src/protocols/relay/descriptor.ts'
import { HopMessage } from '../../../../src/protocols/relay/pb/circuit.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { connect, startHost, withoutSockets } from '../../../helpers/hosts.ts'

withoutSockets()

const limits = limitsWith({ relay: { openMs: ceilingMs } })
const hasty = limitsWith({ relay: { openMs: 20 } })
const target = peerIdText(SigningKey.generate().publicKey)

let stopped: { stop(): unknown }[] = []
afterEach(async () => {
  await Promise.all(stopped.map((host) => host.stop()))
  stopped = []
})

/** A connection to a relay that answers everything with these bytes; undefined: with nothing. */
const relayThatSays = async (answer: Uint8Array | undefined) => {
  const take = async (stream: Stream): Promise<void> => {
    const frames = new FrameStream(stream, { maxFrame: 4096, limits: limits.stream })
    // Whoever asked may have gone.
    await frames.read().catch(() => undefined)
    if (answer !== undefined) await frames.write(answer).catch(() => {})
  }
  const relay = await startHost({
    hop: ({ registrar }: { registrar: Registrar }) => ({ start: () => registrar.handle(hopId, take) })
  })
  const client = await startHost({})
  stopped.push(relay, client)
  return await connect(client, relay)
}

const ask = async (answer: Uint8Array | undefined): Promise<unknown[]> => {
  const connection = await relayThatSays(answer)
  const options = { limits: answer === undefined ? hasty : limits, signal: AbortSignal.timeout(ceilingMs) }
  const failed = (error: Error): string => error.name
  const results = await Promise.all([
    reserveAt(connection, options).catch(failed),
    openCircuit(connection, target, options).then(() => 'opened', failed)
  ])
  return results
}

it.each([
  [200, 'LimitError'],
  [201, 'LimitError'],
  [202, 'NotAllowedError'],
  [203, 'UnavailableError'],
  [204, 'NotFoundError'],
  [400, 'UnavailableError'],
  [999, 'UnavailableError'],
  [undefined, 'UnavailableError']
])('a relay that answers %s is given up with %s', async (status, name) => {
  expect(await ask(HopMessage.encode({ type: 2, ...(status !== undefined && { status }) }))).toEqual([name, name])
})

it('a relay that answers nothing is given up', async () => {
  const late: unknown = expect.stringMatching(/^(Deadline|Timeout)Error$/)
  expect(await ask(undefined)).toEqual([late, late])
})

it.each([
  ['no status', HopMessage.encode({ type: 0 }), 'MalformedFrameError'],
  ['no message', Uint8Array.of(0xff, 0xff), 'MalformedFrameError'],
  ['too much', new Uint8Array(4097), 'FrameTooLargeError']
])('a relay that answers %s is given up', async (_, answer, name) => {
  expect(await ask(answer)).toEqual([name, name])
})

it('a reservation that ends in the past, or never, is one', async () => {
  const until = async (expire: number) =>
    (await ask(HopMessage.encode({ type: 2, status: 100, reservation: { expire } })))[0]
  expect(await until(1)).toBeLessThan(0)
  expect(await until(2 ** 40)).toBeGreaterThan(0)
  expect(await ask(HopMessage.encode({ type: 2, status: 100 }))).toEqual([expect.any(Number), 'opened'])
})
