import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect } from 'vitest'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import type { LimitOverrides } from '../../../src/protocols/engine/limits.ts'
import { kadProtocol } from '../../../src/protocols/kad/index.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import type { Members } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { attack, control } from '../attack.ts'
import {
  emptyPeers,
  endOf,
  field,
  framed,
  type Host,
  heldWhile,
  idOf,
  lifted,
  named,
  scene,
  send,
  startAttacker,
  startVictim
} from './library-scene.ts'

describe('kad-dht', () => {
  attack('a query of 3.9 MiB with two million empty peers', async () => {
    const { victim, attacker, connection } = await scene()
    const stream = await connection.newStream(kadProtocol(networkId))
    const ended = endOf(stream)
    const heldMs = await heldWhile(async () => {
      await send(stream, framed(emptyPeers(1_950_000)))
      await ended
    })
    expect(named(victim)).toEqual([`kad.frameBytes ${idOf(attacker)}`])
    return { happened: `reset at its length, event loop held ${heldMs} ms at most`, held: 'kad.frameBytes: 8 KiB' }
  })

  control('the library decodes such a query when it may', async () => {
    const { victim, connection } = await scene(lifted)
    const stream = await connection.newStream(kadProtocol(networkId))
    const ended = endOf(stream)
    const heldMs = await heldWhile(async () => {
      await send(stream, framed(emptyPeers(300_000)))
      await ended
    })
    expect(heldMs).toBeGreaterThan(100)
    expect(named(victim)).toEqual([])
  })

  attack('small queries without end', async () => {
    const { victim, attacker, connection } = await scene()
    const stream = await connection.newStream(kadProtocol(networkId))
    let answered = 0
    stream.addEventListener('message', ({ data }) => {
      answered += data.byteLength
    })
    const query = framed(Buffer.concat([Uint8Array.from([8, 4]), field(2, victim.host.peerId.toMultihash().bytes)]))
    await send(stream, Buffer.concat(Array.from({ length: 2_000 }, () => query)))
    await expect.poll(() => named(victim), { timeout: ceilingMs }).toEqual([`kad.inbound ${idOf(attacker)}`])
    return {
      happened: `2,000 at once: held back after the first, ${answered} bytes answered, named`,
      held: 'kad.inbound'
    }
  })

  /** A DHT server that answers every query with many addresses of somebody else. */
  const liar = async (members: Members, about: Uint8Array, addresses: number) => {
    const host = await startAttacker(members)
    const one = (index: number): Uint8Array =>
      field(2, multiaddr(`/ip6/2001:db8::${(index % 65_535).toString(16)}/tcp/${1 + (index >>> 8)}`).bytes)
    const peer = Buffer.concat([field(1, about), ...Array.from({ length: addresses }, (_, index) => one(index))])
    const answer = framed(Buffer.concat([Uint8Array.from([8, 4]), field(8, peer)]))
    const told = { answers: 0 }
    await host.host.handle(kadProtocol(networkId), async (stream) => {
      stream.addEventListener('message', () => {
        told.answers++
        void send(stream, answer)
      })
    })
    return { server: host, told }
  }

  const asked = async (addresses: number, overrides: LimitOverrides = {}) => {
    const members: Members = new Map()
    const victim = await startVictim(members, overrides)
    const other = SigningKey.generate()
    members.set(peerIdText(other.publicKey), 'root')
    const about = peerIdFromString(peerIdText(other.publicKey))
    const { server, told } = await liar(members, about.toMultihash().bytes, addresses)
    await connect(victim.host, server.host)
    await expect
      .poll(async () => (await victim.host.peerStore.get(server.host.peerId)).protocols, { timeout: ceilingMs })
      .toContain(kadProtocol(networkId))
    const heldMs = await heldWhile(async () => {
      // The victim takes it into its table when it has answered a ping.
      const ask = async () => {
        const signal = AbortSignal.timeout(2_000)
        await victim.host.services.kad.findRecord(other.publicKey, { signal }).catch(() => {})
        return told.answers
      }
      await expect.poll(ask, { timeout: ceilingMs }).toBeGreaterThanOrEqual(3)
    })
    const kept = (await victim.host.peerStore.get(about).catch(() => undefined))?.addresses.length ?? 0
    return { victim, server, heldMs, kept }
  }

  attack('answers with 20,000 addresses for another member', async () => {
    const { victim, server, heldMs, kept } = await asked(20_000)
    expect(kept).toBe(0)
    expect(named(victim)).toEqual([`kad.frameBytes ${peerIdText(server.key.publicKey)}`])
    return { happened: `none kept, event loop held ${heldMs} ms at most`, held: 'kad.frameBytes; peers.addresses' }
  })

  control('the library takes such answers apart where it may', async () => {
    const { heldMs, victim } = await asked(20_000, lifted)
    expect(heldMs).toBeGreaterThan(50)
    expect(named(victim)).toEqual([])
  })

  attack('answers that fit, with 250 addresses for another member', async () => {
    const { kept } = await asked(250)
    expect(kept).toBe(0)
    return { happened: 'none kept', held: 'only addresses in signed records count' }
  })
})

describe('what libp2p remembers of a peer', () => {
  const addressesOf = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => multiaddr(`/ip6/2001:db8::1/tcp/${from + index}`))

  const remembered = async (overrides: LimitOverrides): Promise<number> => {
    const { victim, attacker } = await scene(overrides)
    const peerId = attacker.host.peerId
    for (let from = 1; from <= 1_001; from += 100) {
      await victim.host.peerStore.merge(peerId, { multiaddrs: addressesOf(from, 100) })
    }
    await victim.host.peerStore.patch(peerId, { metadata: { AgentVersion: new Uint8Array(8_000) } })
    return (await victim.host.peerStore.get(peerId)).addresses.length
  }

  attack('a thousand addresses, a hundred at a time', async () => {
    const kept = await remembered({})
    expect(kept).toBe(8)
    return { happened: `${kept} kept, the newest`, held: 'peers.addresses' }
  })

  control('all are kept without the limit', async () => {
    expect(await remembered(lifted)).toBeGreaterThan(1_000)
  })

  const pushes = async (overrides: LimitOverrides) => {
    const { victim, attacker, connection } = await scene(overrides)
    for (let index = 0; index < 60; index++) {
      const stream = await connection.newStream('/ipfs/id/push/1.0.0').catch(() => undefined)
      if (stream === undefined) continue
      const message = Buffer.concat(
        Array.from({ length: 120 }, (_, each) => field(3, new TextEncoder().encode(`/protocol/${index}/${each}`)))
      )
      await send(stream, framed(message)).catch(() => {})
      await stream.close().catch(() => {})
    }
    const { protocols } = await victim.host.peerStore.get(attacker.host.peerId)
    return { protocols: protocols.length, victim, attacker }
  }

  attack('identify pushed again and again, with protocols that do not exist', async () => {
    const { protocols, victim, attacker } = await pushes({})
    expect(protocols).toBeLessThanOrEqual(64 + 8)
    expect(named(victim)).toEqual([`identify.opens ${idOf(attacker)}`])
    return {
      happened: `16 of 60 were read, ${protocols} protocols kept, named`,
      held: 'identify.opens, peers.protocols'
    }
  })

  control('all are read and kept without the limits', async () => {
    const { protocols, victim } = await pushes(lifted)
    expect(protocols).toBeGreaterThan(100)
    expect(named(victim)).toEqual([])
  })
})

describe('ping', () => {
  const pings = async (
    overrides: LimitOverrides,
    ms: number
  ): Promise<{ echoed: number; victim: Host; who: string }> => {
    const { victim, attacker, connection } = await scene(overrides)
    let echoed = 0
    const until = performance.now() + ms
    const lanes = Array.from({ length: 4 }, async () => {
      const stream = await connection.newStream('/ipfs/ping/1.0.0', { maxOutboundStreams: 10 })
      const over = endOf(stream)
      const bytes = new Uint8Array(32)
      stream.addEventListener('message', ({ data }) => {
        echoed += data.byteLength
        if (performance.now() < until && stream.writeStatus === 'writable') stream.send(bytes)
      })
      for (let index = 0; index < 100; index++) stream.send(bytes)
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, ms))])
    })
    await Promise.all(lanes)
    return { echoed: echoed / 32, victim, who: idOf(attacker) }
  }

  attack('pings as fast as they are answered', async () => {
    const { echoed, victim, who } = await pings({}, 5_000)
    expect(named(victim)).toEqual([`ping.inbound ${who}`])
    return { happened: `${Math.round(echoed / 5)} a second were answered, named`, held: 'ping.inbound' }
  })

  control('all are answered without the limit', async () => {
    const { echoed, victim } = await pings(lifted, 1_000)
    expect(echoed).toBeGreaterThan(300)
    expect(named(victim)).toEqual([])
  })
})
