import { once } from 'node:events'
import { createServer } from 'node:net'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect } from 'vitest'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { openStream } from '../../../../src/protocols/engine/protocol.ts'
import { hopId, hopProtocol } from '../../../../src/protocols/relay/descriptor.ts'
import { HopMessage } from '../../../../src/protocols/relay/pb/circuit.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { netHost } from '../../../helpers/hosts/net-hosts.ts'
import { type Client, RelayStage, type StageInit } from '../../../helpers/hosts/relay-members.ts'
import { eventually } from '../../../helpers/network.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../../attack.ts'

const stageWith = async (init?: StageInit): Promise<RelayStage> => {
  const stage = await RelayStage.open(init)
  disposeAfterTest(stage)
  return stage
}

/** So much that nothing is refused. */
const boundless = {
  ...defaultLimits.relay,
  rate: { count: 1_000_000, perMs: 1_000 },
  circuits: 1_000,
  circuitsOfPeer: 1_000
}

describe('a member that asks a relay for thousands of circuits and reservations', () => {
  const asks = 200

  const ask = async (init?: StageInit) => {
    const stage = await stageWith(init)
    const { near, far } = await stage.pair()
    const [greedy, target] = [await stage.join(), await stage.join()]
    await target.reserve()
    const ends = await Promise.allSettled(
      Array.from({ length: asks }, async (_, at) => (at % 2 === 0 ? await greedy.open(target) : await greedy.reserve()))
    )
    const got = ends.filter(({ status }) => status === 'fulfilled').length
    near.send('still here')
    await eventually(() => far.text.endsWith('still here'))
    return { got, ...stage.counts }
  }

  attack('to leave no place to others', async () => {
    const { got, reservations, circuits } = await ask()
    expect(reservations).toBeLessThanOrEqual(3)
    expect(circuits).toBeLessThanOrEqual(1 + defaultLimits.relay.circuitsOfPeer)
    return {
      happened: `${asks} requests at once: ${got} granted, ${circuits} circuits, ${reservations} reservations; the circuit of others goes on`,
      held: 'streams on a connection, requests in a minute, 16 circuits and one reservation of a member'
    }
  })

  control('has as many as it likes where there is no limit', async () => {
    const { circuits } = await ask({ limits: { relay: boundless } })
    expect(circuits).toBeGreaterThan(1 + defaultLimits.relay.circuitsOfPeer)
  })
})

describe('a member that sends a relay messages that are too long, or never whole', () => {
  const claimed = 1.5 * 2 ** 20
  const lengthOf = (bytes: number): number[] => [(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, bytes >> 14]

  /** Bytes that the relay has taken of a message of 1.5 MiB that is never whole. */
  const pour = async (init?: StageInit) => {
    const stage = await stageWith(init)
    const member = await stage.join()
    const stream = await member.toRelay.newStream(hopId)
    stream.send(Uint8Array.from(lengthOf(claimed)))
    let sent = 0
    while (stream.status === 'open' && sent < claimed - 64 * 1024) {
      const isTaken = stream.send(new Uint8Array(64 * 1024))
      sent += 64 * 1024
      if (!isTaken) await Promise.race([once(stream, 'drain'), once(stream, 'close')])
      await new Promise(setImmediate)
    }
    return { stream, sent }
  }

  attack('to have it keep them', async () => {
    const { stream } = await pour()
    await eventually(() => stream.status !== 'open')
    const stage = await stageWith({ limits: { relay: { openMs: 1_000 } } })
    const member = await stage.join()
    const silent: Stream[] = []
    for (let at = 0; at < 20; at++) silent.push(await member.toRelay.newStream(hopId))
    // Some are over before.
    for (const each of silent) if (each.writeStatus === 'writable') each.send(Uint8Array.of(10, 8))
    await eventually(() => silent.every(({ status }) => status !== 'open'))
    return {
      happened: 'a length of 1.5 MiB: reset before a byte of it was kept; 20 messages that are never whole: ended',
      held: 'a message has 4 KiB at most, judged by its length, and is whole in time'
    }
  })

  control('has them kept where messages may be so long', async () => {
    const { stream, sent } = await pour({ limits: { relay: { messageBytes: 4 * 2 ** 20 } } })
    expect(sent).toBe(claimed - 64 * 1024)
    expect(stream.status).toBe('open')
  })
})

describe('a relay that is asked to connect to a host', () => {
  /** A CONNECT with addresses in it, as circuit relay v2 has them. */
  const connectTo = (peerId: string, address: string): Uint8Array => {
    const id = base58btc.baseDecode(peerId)
    const { bytes } = multiaddr(address)
    const peer = Buffer.concat([Buffer.of(10, id.byteLength), id, Buffer.of(18, bytes.byteLength), bytes])
    return Buffer.concat([Buffer.of(8, 1, 18, peer.byteLength), peer])
  }

  const listen = async () => {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.destroy()
    })
    server.listen(0, '::1')
    await once(server, 'listening')
    disposeAfterTest({ [Symbol.asyncDispose]: async () => void server.close() })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    return { address: `/ip6/::1/tcp/${address.port}`, count: () => connections }
  }

  const ask = async ({ toRelay }: Client, message: Uint8Array): Promise<number | undefined> => {
    const frames = await openStream(toRelay, hopProtocol(defaultLimits), { limits: defaultLimits })
    await frames.write(message)
    const answer = await frames.read({ signal: AbortSignal.timeout(ceilingMs) })
    return answer && HopMessage.decode(answer).status
  }

  attack('to dial it for somebody else', async () => {
    const victim = await listen()
    const stage = await stageWith()
    const [member, gone] = [await stage.join(), await stage.join()]
    await gone.reserve()
    await gone.toRelay.close()
    await eventually(() => stage.counts.reservations === 0)
    expect(await ask(member, connectTo(gone.id, victim.address))).toBe(204)
    // Nor does a node dial the host in an address through a relay.
    const node = await netHost()
    disposeAfterTest(node)
    const address = `${victim.address}/p2p/${member.id}/p2p-circuit/p2p/${gone.id}`
    await expect(node.libp2p.dial(multiaddr(address))).rejects.toThrow(/addresses/)
    expect(victim.count()).toBe(0)
    return {
      happened: 'an address in a request, and one before /p2p-circuit: nothing was dialled',
      held: 'a relay connects those who are connected to it; a way through a relay has no host in it'
    }
  })

  control('is reached by whoever dials it', async () => {
    const victim = await listen()
    const node = await netHost()
    disposeAfterTest(node)
    await node.libp2p.dial(multiaddr(victim.address)).catch(() => {})
    await eventually(() => victim.count() > 0)
  })
})

describe('somebody outside of the network, at a relay', () => {
  const outside = async (role?: 'stranger') => {
    const stage = await stageWith()
    const member = await stage.join()
    const other = await stage.join(role === undefined ? {} : { role })
    await member.reserve()
    const names = async (tries: Promise<unknown>[]): Promise<string[]> =>
      await Promise.all(
        tries.map(async (each) =>
          each.then(
            () => 'done',
            (error: Error) => error.name
          )
        )
      )
    const asked = await names([other.reserve(), other.open(member)])
    return { asked: [...asked, ...(await names([member.open(other)]))], ...stage.counts }
  }

  attack('to be relayed, or to be reached through it', async () => {
    const { asked, circuits } = await outside('stranger')
    expect(asked).toEqual(['NotAllowedError', 'NotAllowedError', 'NotFoundError'])
    expect(circuits).toBe(0)
    return {
      happened: 'a reservation, a circuit to a member, a circuit from a member: refused with a status each',
      held: 'the engine asks for membership before the relay reads a request'
    }
  })

  control('is relayed as a member', async () => {
    expect((await outside()).asked).toEqual(['done', 'done', 'done'])
  })
})

describe('a member that reads nothing of what comes through a relay', () => {
  const waitingAt = (connections: readonly Connection[]): number =>
    connections
      .flatMap(({ streams }) => streams)
      .reduce((sum, { readBufferLength, writeBufferLength }: Stream) => sum + readBufferLength + writeBufferLength, 0)

  const isStopped = (connections: readonly Connection[]): boolean => {
    const streams = connections.flatMap((connection) => connection.streams)
    return (
      streams.some(({ readStatus }) => readStatus === 'paused') &&
      streams.some(({ writableNeedsDrain }) => writableNeedsDrain)
    )
  }

  /** Bytes that a sender gets rid of while the far end takes nothing. */
  const pour = async (init?: StageInit) => {
    const stage = await stageWith(init)
    const { near, far } = await stage.pair()
    far.stream.pause()
    let sent = 0
    let isStuck = false
    while (sent < 32 * 2 ** 20 && !isStuck) {
      sent += 64 * 1024
      if (near.send(new Uint8Array(64 * 1024))) await new Promise(setImmediate)
      else {
        let hasDrained = false
        near.stream.addEventListener('drain', () => (hasDrained = true), { once: true })
        // The far end takes nothing: what waits for it at the relay goes on waiting, and once the relay has stopped to read it reads no more.
        await eventually(() => hasDrained || isStopped(stage.relay.host.getConnections()))
        isStuck = !hasDrained
      }
    }
    return { sent, waiting: waitingAt(stage.relay.host.getConnections()) }
  }

  attack('to fill the memory of the relay', async () => {
    const { sent, waiting } = await pour()
    expect(sent).toBeLessThan(8 * 2 ** 20)
    expect(waiting).toBeLessThan(2 * 2 ** 20)
    return {
      happened: `its sender was stopped after ${Math.round(sent / 1024)} KiB; ${Math.round(waiting / 1024)} KiB waited at the relay`,
      held: 'a relay reads no more than the other side takes: the window of the stream stops the sender'
    }
  })

  control("fills that of libp2p's own relay", async () => {
    const other = circuitRelayServer({ reservations: { applyDefaultLimit: false } })
    const { sent } = await pour({ other: other as never })
    expect(sent).toBeGreaterThanOrEqual(32 * 2 ** 20)
  })
})
