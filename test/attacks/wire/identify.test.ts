import type { Connection, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect } from 'vitest'
import type { LimitOverrides } from '../../../src/protocols/engine/limits.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import type { Members } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { attack, control } from '../attack.ts'
import {
  endOf,
  field,
  framed,
  type Host,
  idOf,
  lifted,
  named,
  scene,
  send,
  startAttacker,
  startVictim
} from './library-scene.ts'

describe('identify', () => {
  /** A message of 8 KiB that says the key and one address, as long as it may be. */
  const longAddress = (port: number): Uint8Array =>
    framed(field(2, multiaddr(`/ip6/2001:db8::1/tcp/${port}${'/quic'.repeat(4_000)}`).bytes))

  const bytesKept = async ({ host }: Host, of: PeerId): Promise<number> => {
    const { addresses } = await host.peerStore.get(of)
    return addresses.reduce((all, { multiaddr: { bytes } }) => all + bytes.byteLength, 0)
  }

  /** Pushes eight addresses of 8 KiB, a message each. */
  const pushOn = async (connection: Connection): Promise<void> => {
    const stream = await connection.newStream('/ipfs/id/push/1.0.0')
    const ended = endOf(stream)
    for (let port = 1; port <= 8; port++) await send(stream, longAddress(port)).catch(() => {})
    await stream.close().catch(() => {})
    await ended
  }

  attack('eight pushed addresses of 8 KiB each', async () => {
    const { victim, attacker, connection } = await scene()
    await pushOn(connection)
    await expect.poll(() => named(victim), { timeout: ceilingMs }).toEqual([`identify.messages ${idOf(attacker)}`])
    const kept = await bytesKept(victim, attacker.host.peerId)
    expect(kept).toBeLessThan(1_024)
    return { happened: `reset at the third message, ${kept} bytes kept`, held: 'identify.messages, peers.addressBytes' }
  })

  control('they are read and kept without the limits', async () => {
    const { victim, attacker, connection } = await scene(lifted)
    // What identify says of itself at the start takes the place of what was pushed before.
    const kept = async () => {
      await pushOn(connection)
      return await bytesKept(victim, attacker.host.peerId)
    }
    await expect.poll(kept, { timeout: ceilingMs }).toBeGreaterThan(60_000)
    expect(named(victim)).toEqual([])
  })

  /** Answers of 80 KiB to whoever asks who it is. */
  const answered = async (overrides: LimitOverrides) => {
    const members: Members = new Map()
    const victim = await startVictim(members, overrides)
    const attacker = await startAttacker(members)
    const told = { messages: 0, isOver: false }
    await attacker.host.unhandle('/ipfs/id/1.0.0')
    await attacker.host.handle('/ipfs/id/1.0.0', async (stream) => {
      const ended = endOf(stream)
      for (let port = 1; port <= 10 && stream.status === 'open'; port++) {
        await send(stream, longAddress(port))
        told.messages = port
      }
      await stream.close().catch(() => {})
      await ended
      told.isOver = true
    })
    await connect(attacker.host, victim.host)
    return { victim, attacker, told }
  }

  attack('an answer of ten messages', async () => {
    const { victim, attacker } = await answered({})
    await expect.poll(() => named(victim), { timeout: ceilingMs }).toEqual([`identify.messages ${idOf(attacker)}`])
    return { happened: 'reset at the third message, named', held: 'identify.messages' }
  })

  control('all ten are read without the limit', async () => {
    const { victim, told } = await answered(lifted)
    await expect.poll(() => told, { timeout: ceilingMs }).toEqual({ messages: 10, isOver: true })
    expect(named(victim)).toEqual([])
  })
})
