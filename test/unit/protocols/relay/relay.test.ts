import type { Connection, Stream } from '@libp2p/interface'
import { afterEach, describe, expect, it, test } from 'vitest'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { openStream } from '../../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { hopId, hopProtocol } from '../../../../src/protocols/relay/descriptor.ts'
import { stopRefusal } from '../../../../src/protocols/relay/messages.ts'
import { HopMessage } from '../../../../src/protocols/relay/pb/circuit.ts'
import { LimitError, NotAllowedError, NotFoundError, UnavailableError } from '../../../../src/runtime/errors.ts'
import { type Client, type End, RelayStage, type StageInit } from '../../../helpers/hosts/relay-members.ts'
import { withoutSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'

withoutSockets()

const stages: RelayStage[] = []
afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage[Symbol.asyncDispose]()))
})

const stageWith = async (init?: StageInit): Promise<RelayStage> => {
  const stage = await RelayStage.open(init)
  stages.push(stage)
  return stage
}

/** Status of the answer to these bytes; undefined: the stream was reset. */
const statusOf = async ({ toRelay }: Client, message: Uint8Array): Promise<number | undefined> => {
  const frames = await openStream(toRelay, hopProtocol(defaultLimits), { limits: defaultLimits })
  await frames.write(message)
  const answer = await frames.read().catch(() => undefined)
  return answer && HopMessage.decode(answer).status
}

/** Those who are named for what they did at the relay. */
const culpritsOf = ({ relay }: RelayStage): string[] =>
  relay.trust.culprits.counts.flatMap(({ culprits }) => culprits.map(({ who }) => who))

/** Bytes that wait in the streams of a host. */
const waitingAt = (connections: readonly Connection[]): number =>
  connections
    .flatMap(({ streams }) => streams)
    .reduce((sum, { readBufferLength, writeBufferLength }: Stream) => sum + readBufferLength + writeBufferLength, 0)

/** Sends whatever is taken. Gives what stops it, which tells how many bytes that were. */
const pour = (end: Pick<End, 'stream' | 'send'>): (() => number) => {
  const piece = new Uint8Array(64 * 1024)
  let sent = 0
  const over = new AbortController()
  const go = (): void => {
    while (!over.signal.aborted && end.stream.writeStatus === 'writable' && !end.stream.writableNeedsDrain) {
      sent += piece.byteLength
      end.send(piece)
    }
  }
  end.stream.addEventListener('drain', () => queueMicrotask(go))
  go()
  return () => {
    over.abort()
    return sent
  }
}

describe('a circuit', () => {
  it('carries bytes both ways, and the end of each side apart', async () => {
    const stage = await stageWith()
    const { source, near, far } = await stage.pair()
    expect(far.from).toBe(source.id)
    near.send('there')
    await eventually(() => far.text === 'there')
    await near.stream.close()
    await eventually(() => far.hasEnded)
    far.send('and back')
    await eventually(() => near.text === 'and back')
    await far.stream.close()
    await eventually(() => near.isOver && far.isOver && stage.counts.circuits === 0)
    expect(stage.counts).toMatchObject({ reservations: 1, circuits: 0, bytes: 13, refused: 0 })
  })

  it('waits for a reader that has stopped, and holds next to nothing meanwhile', async () => {
    const stage = await stageWith()
    const { near, far } = await stage.pair()
    far.stream.pause()
    const piece = new Uint8Array(64 * 1024)
    let sent = 0
    // As much as both windows take, and no more.
    while (near.send(piece)) {
      sent += piece.byteLength
      expect(sent).toBeLessThan(8 * 2 ** 20)
      await new Promise(setImmediate)
    }
    expect(waitingAt(stage.relay.host.getConnections())).toBeLessThan(2 * 2 ** 20)
    far.stream.resume()
    await eventually(() => far.bytes === sent + piece.byteLength)
  })

  it('ends where more waits at its relay than all circuits may hold there', async () => {
    const stage = await stageWith({ limits: { relay: { waitingBytes: 64 * 1024 } } })
    const { source, near, far } = await stage.pair()
    far.stream.pause()
    pour(near)
    await eventually(() => near.isOver && stage.counts.circuits === 0)
    expect(culpritsOf(stage)).toEqual([source.id])
  })

  it('is slowed down for a member that sends more than its share', async () => {
    const stage = await stageWith({ limits: { relay: { ofPeer: { count: 64, perMs: 86_400_000 } } } })
    const { near, far } = await stage.pair()
    while (near.send(new Uint8Array(64 * 1024))) await new Promise(setImmediate)
    await eventually(() => far.bytes > 0)
    // What came before it was held, and what was on its way.
    expect(stage.counts.bytes).toBeLessThan(1024 * 1024)
    far.send('the other side has its own share')
    await eventually(() => near.bytes > 0)
  })

  it.each(['source', 'target'] as const)('ends at once with the membership of its %s', async (which) => {
    const stage = await stageWith()
    const pair = await stage.pair()
    stage.relay.trust.ended(pair[which].publicKey)
    await eventually(() => pair.near.isOver && pair.far.isOver && stage.counts.circuits === 0)
  })

  it('ends with its relay', async () => {
    const stage = await stageWith()
    const { near, far } = await stage.pair()
    await stage.relay.host.stop()
    await eventually(() => near.isOver && far.isOver)
  })

  it('tells an end also while more of that side would have to wait', async () => {
    const stage = await stageWith({ limits: { relay: { ofPeer: { count: 1, perMs: 86_400_000 } } } })
    const { near, far } = await stage.pair()
    near.send(new Uint8Array(2048))
    await eventually(() => far.bytes === 2048)
    await near.stream.close()
    await eventually(() => far.hasEnded)
  })

  it('ends when the policy forbids to relay, though bytes go through it', async () => {
    let allowed = true
    const clock = { now: () => 0, monotonic: () => 0 }
    const stage = await stageWith({ mayServe: () => allowed, clock, limits: { relay: { idleMs: 20 } } })
    const { near, far } = await stage.pair()
    near.send('there')
    await eventually(() => far.text === 'there')
    allowed = false
    await eventually(() => near.isOver && far.isOver && stage.counts.circuits === 0)
  })

  it('is reset on both sides when one resets it', async () => {
    const stage = await stageWith()
    const { near, far } = await stage.pair()
    far.stream.abort(new Error('enough'))
    await eventually(() => near.isOver && stage.counts.circuits === 0)
    expect(near.stream.status).not.toBe('closed')
  })

  it.each([{ idleMs: 20 }, { idleMs: 40, circuitMs: 1 }])('ends after its time: %o', async (relay) => {
    const stage = await stageWith({ limits: { relay } })
    const { near, far } = await stage.pair()
    await eventually(() => near.isOver && far.isOver && stage.counts.circuits === 0)
  })
})

describe('a relay', () => {
  it('brings nothing to whoever has no reservation, has gone, or is not known', async () => {
    const stage = await stageWith()
    const { source, target } = await stage.pair()
    const other = await stage.join()
    await expect(source.open(other)).rejects.toThrow(NotFoundError)
    await target.toRelay.close()
    await eventually(() => stage.counts.reservations === 0)
    await expect(source.open(target)).rejects.toThrow(NotFoundError)
  })

  it('does nothing for a stranger, and says so', async () => {
    const stage = await stageWith()
    const { target } = await stage.pair()
    const stranger = await stage.join({ role: 'stranger' })
    stage.relay.trust.judgedStranger(
      stage.relay.host.getConnections().find(({ remotePeer }) => remotePeer.toString() === stranger.id) as Connection
    )
    await expect(stranger.reserve()).rejects.toThrow(NotAllowedError)
    await expect(stranger.open(target)).rejects.toThrow(NotAllowedError)
    expect(stage.counts).toMatchObject({ reservations: 1, circuits: 1 })
  })

  it('does nothing where the policy forbids it', async () => {
    let allowed = true
    const stage = await stageWith({ mayServe: () => allowed })
    const { source, target } = await stage.pair()
    allowed = false
    await expect(source.reserve()).rejects.toThrow(NotAllowedError)
    await expect(source.open(target)).rejects.toThrow(NotAllowedError)
  })

  it.each([
    ['does not take it', stopRefusal(statuses.OK)],
    ['has no reservation, as it says', stopRefusal(statuses.NOT_ALLOWED)],
    ['sends bytes that are no answer', Uint8Array.of(0xff, 0xff)]
  ])('says that there is no circuit when its target %s, and blames nobody else for it', async (_, says) => {
    const stage = await stageWith()
    const source = await stage.join()
    const target = await stage.join({ says })
    await target.reserve()
    await expect(source.open(target)).rejects.toThrow(UnavailableError)
    await eventually(() => stage.counts.circuits === 0)
    expect(culpritsOf(stage)).toEqual([])
  })

  it('has one reservation of each member, and so many in all', async () => {
    const stage = await stageWith({ limits: { relay: { reservations: 2 } } })
    const [one, two, three] = [await stage.join(), await stage.join(), await stage.join()]
    for (let count = 0; count < 5; count++) expect(await one.reserve()).toBeGreaterThan(0)
    expect(stage.counts.reservations).toBe(1)
    await two.reserve()
    await expect(three.reserve()).rejects.toThrow(LimitError)
    await one.toRelay.close()
    await eventually(() => stage.counts.reservations === 1)
    await three.reserve()
  })

  it('has so many circuits of one member, at whichever end it is; one that has more gives way to one that has none', async () => {
    const stage = await stageWith({ limits: { relay: { circuitsOfPeer: 2 } } })
    const { source, target, near } = await stage.pair()
    const second = await source.open(target)
    await expect(source.open(target)).rejects.toThrow(LimitError)
    const [other, third] = [await stage.join(), await stage.join()]
    await other.open(target)
    await eventually(() => [near, second].filter(({ isOver }) => isOver).length === 1)
    await expect(third.open(target)).rejects.toThrow(LimitError)
    expect(culpritsOf(stage)).toEqual([source.id])
    expect(stage.counts.circuits).toBe(2)
  })

  it('ends nothing for a circuit that its target does not take', async () => {
    const stage = await stageWith({ limits: { relay: { circuits: 2 } } })
    const { source, target, near } = await stage.pair()
    const second = await source.open(target)
    const [other, unwilling] = [await stage.join(), await stage.join({ says: stopRefusal(statuses.NOT_ALLOWED) })]
    await unwilling.reserve()
    await expect(other.open(unwilling)).rejects.toThrow(UnavailableError)
    expect([near.isOver, second.isOver]).toEqual([false, false])
    await other.open(target)
    await eventually(() => near.isOver || second.isOver)
  })

  it('opens no circuit from a member to itself', async () => {
    const stage = await stageWith()
    const { target } = await stage.pair()
    await expect(target.open(target)).rejects.toThrow(NotAllowedError)
    expect(stage.counts).toMatchObject({ circuits: 1, refused: 1, lastRefusal: expect.stringContaining('to itself') })
  })

  it('has so many circuits in all', async () => {
    const stage = await stageWith({ limits: { relay: { circuits: 1 } } })
    await stage.pair()
    const [source, target] = [await stage.join(), await stage.join()]
    await target.reserve()
    await expect(source.open(target)).rejects.toThrow(LimitError)
    expect(stage.counts.circuits).toBe(1)
    // The one that has a circuit asks for no more than it has.
    expect(culpritsOf(stage)).toEqual([])
  })

  test.each([
    ['no type', HopMessage.encode({ status: 100 }), 401],
    ['a status', HopMessage.encode({ type: 2, status: 100 }), 401],
    ['a type that there is not', HopMessage.encode({ type: 7 }), 401],
    ['a circuit to nobody', HopMessage.encode({ type: 1 }), 401],
    ['a circuit to a PeerId that is too short', HopMessage.encode({ type: 1, peer: { id: new Uint8Array(37) } }), 401],
    ['a circuit to a PeerId of no key', HopMessage.encode({ type: 1, peer: { id: new Uint8Array(38) } }), 401],
    ['bytes that are no message', Uint8Array.of(0xff, 0xff), 400],
    ['a message that is too long', new Uint8Array(4097), undefined]
  ])('answers %s', async (_, message, status) => {
    const stage = await stageWith()
    const { source } = await stage.pair()
    expect(await statusOf(source, message)).toBe(status)
    expect(stage.counts.circuits).toBe(1)
  })

  it('gives up one that asks for nothing', async () => {
    const stage = await stageWith({ limits: { relay: { openMs: 20 } } })
    const member = await stage.join()
    const stream = await member.toRelay.newStream(hopId)
    stream.send(Uint8Array.of(100, 8))
    await eventually(() => stream.status !== 'open')
  })
})
