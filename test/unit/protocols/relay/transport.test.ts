import type { Connection, MultiaddrConnection, Upgrader } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { circuitVia } from '../../../../src/address/circuit.ts'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { componentLogger } from '../../../../src/node/host/component-logger.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { openStream } from '../../../../src/protocols/engine/protocol.ts'
import { hopId, stopProtocol } from '../../../../src/protocols/relay/descriptor.ts'
import { bringCircuit } from '../../../../src/protocols/relay/messages.ts'
import { HopMessage, StopMessage } from '../../../../src/protocols/relay/pb/circuit.ts'
import { relayTransport } from '../../../../src/protocols/relay/transport.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withoutSockets()

const limits = defaultLimits
const someone = peerIdText(SigningKey.generate().publicKey)
/** A node behind relays, and a member that is connected to it. Connections are handed to the test in place of a handshake. */
const scene = async (isReserved: boolean) => {
  const members: Members = new Map()
  const upgraded: MultiaddrConnection[] = []
  const unused = (): never => {
    throw new Error('this method is not used')
  }
  const upgrader: Upgrader = {
    upgradeInbound: async (circuit: MultiaddrConnection) => void upgraded.push(circuit),
    upgradeOutbound: unused,
    createInboundAbortSignal: unused,
    getStreamMuxers: unused,
    getConnectionEncrypters: unused
  }
  const node = await startMember<{ relayed: unknown }>({
    members,
    services: ({ trust }) => ({
      relayed: (components: { registrar: Parameters<ReturnType<typeof relayTransport>>[0]['registrar'] }) =>
        relayTransport({ trust, limits, isReservedAt: () => isReserved })({
          registrar: components.registrar,
          upgrader,
          logger: componentLogger({ ...silentLogger, isLevelEnabled: () => false })
        })
    })
  })
  const relay = await startMember({ members, services: () => ({}) })
  disposeAfterTest(node, relay)
  return { node, relay, upgraded, connection: await connect(relay.host, node.host) }
}

const bring = async (connection: Connection, message: Uint8Array): Promise<number | undefined> => {
  const frames = await openStream(connection, stopProtocol(limits), { limits })
  await frames.write(message)
  const answer = await frames.read().catch(() => undefined)
  return answer && StopMessage.decode(answer).status
}

/** Answer of a relay with this status. */
const refused = (status: number): Uint8Array => HopMessage.encode({ type: 2, status })

const transportOf = (node: MemberHost<{ relayed: unknown }>) =>
  node.host.services.relayed as ReturnType<ReturnType<typeof relayTransport>>

describe('a circuit that a member brings', () => {
  it('is taken where there is a reservation, as a connection to whoever is named', async () => {
    const { relay, upgraded, connection } = await scene(true)
    expect(await bring(connection, bringCircuit(someone))).toBe(100)
    const relayId = relay.host.peerId.toString()
    await expect
      .poll(() => upgraded.map(({ remoteAddr }) => remoteAddr.toString()))
      .toEqual([`${circuitVia(relayId)}/p2p/${someone}`])
  })

  it('is refused where there is none', async () => {
    const { upgraded, connection } = await scene(false)
    expect(await bring(connection, bringCircuit(someone))).toBe(202)
    expect(upgraded).toEqual([])
  })

  it.each([
    ['from nobody', StopMessage.encode({ type: 0 }), 401],
    ['that is a status', StopMessage.encode({ type: 1, status: 100 }), 401],
    ['that is no message', Uint8Array.of(0xff, 0xff), 400],
    ['that is too long', new Uint8Array(4097), undefined]
  ])('is refused %s', async (_, message, status) => {
    const { upgraded, connection } = await scene(true)
    expect(await bring(connection, message)).toBe(status)
    expect(upgraded).toEqual([])
  })
})

describe('a dial through a relay', () => {
  it('reaches nobody where the relay is not connected, or the address has a host', async () => {
    const { node } = await scene(true)
    const transport = transportOf(node)
    const via = `${circuitVia(someone)}/p2p/${node.host.peerId.toString()}`
    const dial = async (address: string) =>
      await transport.dial(multiaddr(address), { signal: AbortSignal.timeout(60_000) } as never)
    await expect(dial(via)).rejects.toThrow(/no connection to the relay/)
    await expect(dial(`/ip6/::1/tcp/1${via}`)).rejects.toThrow(/no address/)
    expect(transport.dialFilter([multiaddr(via), multiaddr(`/ip6/::1/tcp/1${via}`)]).map(String)).toEqual([via])
    expect(transport.listenFilter([multiaddr(via)])).toEqual([])
  })

  it('gives the circuit up when the handshake fails, and hears of a relay that brings none', async () => {
    const { node, relay } = await scene(true)
    const there = await connect(node.host, relay.host)
    const dial = async () =>
      await transportOf(node).dial(multiaddr(`${circuitVia(relay.host.peerId.toString())}/p2p/${someone}`), {
        signal: AbortSignal.timeout(60_000)
      } as never)
    let answer = refused(203)
    await relay.host.handle(hopId, async (stream) => {
      const frames = new FrameStream(stream, { maxFrame: 4096, limits: limits.stream, isPreface: true })
      await frames.read()
      await frames.write(answer)
    })
    await expect(dial()).rejects.toMatchObject({ name: 'UnavailableError' })
    answer = refused(100)
    // The upgrader of this scene is asked to carry out no handshake.
    await expect(dial()).rejects.toThrow('this method is not used')
    await expect
      .poll(() => there.streams.filter(({ protocol, status }) => protocol === hopId && status === 'open'))
      .toEqual([])
  })

  it('is no way to listen', async () => {
    const { node } = await scene(true)
    expect(() => transportOf(node).createListener({ upgrader: undefined } as never)).toThrow('a reservation instead')
  })
})
