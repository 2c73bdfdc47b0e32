import type { Connection, Libp2p, Libp2pEvents } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import { limitsWith } from '../../../../../src/protocols/engine/limits.ts'
import {
  ConnectionGuard,
  type ConnectionGuardComponents
} from '../../../../../src/protocols/engine/trust/connection-guard.ts'
import { ConnectionTrust } from '../../../../../src/protocols/engine/trust/connection-trust.ts'
import { RevokedError } from '../../../../../src/runtime/errors.ts'
import { connect, startHost, startPlainHost, withoutSockets } from '../../../../helpers/hosts.ts'
import { FakeClock } from '../../../../helpers/observations.ts'

withoutSockets()

const id = '/test/held/1.0.0'
const rate = (count: number) => ({ count, perMs: 60_000 })
const limits = limitsWith({
  connection: {
    streams: rate(12),
    strangerStreams: rate(4),
    strangerFrames: rate(100),
    frames: rate(400),
    penaltyMs: 5_000
  }
})

let clock: FakeClock
let trust: ConnectionTrust
let server: Libp2p
let key: SigningKey
let client: Libp2p
let revoked: Uint8Array | undefined
const hosts: Libp2p[] = []

beforeEach(async () => {
  clock = new FakeClock()
  key = SigningKey.generate()
  revoked = undefined
  const isRevoked = (publicKey: Uint8Array) => Buffer.compare(publicKey, revoked ?? new Uint8Array()) === 0
  trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 1_000, isRevoked })
  const init = { trust, limits, clock }
  server = await startHost({ guard: (components: ConnectionGuardComponents) => new ConnectionGuard(components, init) })
  client = await startPlainHost({ privateKey: key.toLibp2p() })
  hosts.push(server, client)
  await server.handle(id, () => {}, { maxInboundStreams: 100 })
})
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(async (host) => host.stop()))
  trust.clear()
})

/** A connection of the client, and the same as the server has it. */
async function dial(): Promise<{ connection: Connection; inbound: Connection }> {
  const connection = await connect(client, server)
  const inbound = server.getConnections(client.peerId).at(-1)
  if (inbound === undefined) throw new Error('the connection is gone')
  return { connection, inbound }
}

/** Opens streams until one is refused; gives how many were not. */
async function flood(connection: Connection, most: number): Promise<number> {
  let opened = 0
  while (opened < most) {
    try {
      await connection.newStream(id, { maxOutboundStreams: 1_000 })
    } catch {
      return opened
    }
    opened++
  }
  return opened
}

const exceeded = (): string[] => trust.culprits.counts.map(({ limit }) => limit)
const ended = async (connection: Connection): Promise<void> => {
  if (connection.status === 'open') await new Promise((resolve) => connection.addEventListener('close', resolve))
}

describe('a connection', () => {
  it('of a stranger ends with one stream too many, and its peer comes back after the penalty', async () => {
    const { connection } = await dial()
    expect([await flood(connection, 20), exceeded()]).toEqual([4, ['connection.strangerStreams']])
    await ended(connection)
    const again = await dial().catch(() => undefined)
    if (again !== undefined) await ended(again.connection)
    clock.advance(60_000)
    expect(await flood((await dial()).connection, 3)).toBe(3)
  })

  it('of a member opens more streams, all its connections together', async () => {
    const member = { publicKey: key.publicKey, name: 'ann', role: 'integrated' } as const
    const [first, second] = [await dial(), await dial()]
    for (const { inbound } of [first, second]) trust.prove(inbound, member)
    expect(await flood(first.connection, 8)).toBe(8)
    expect(await flood(second.connection, 20)).toBe(4)
    await ended(second.connection)
    expect(exceeded()).toEqual(['connection.streams'])
    expect(first.connection.status).toBe('open')
  })

  it('ends with more frames than its peer may send, whatever is in them', async () => {
    const { connection } = await dial()
    const stream = await connection.newStream(id)
    for (let sent = 0; sent < 300 && connection.status === 'open'; sent++) {
      stream.send(Uint8Array.of(1))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended(connection)
    expect(exceeded()).toEqual(['connection.strangerFrames'])
  })

  it('is forgotten at its end, and one that had ended before it was told of is not kept', async () => {
    const { inbound } = await dial()
    const events = new TypedEventEmitter<Libp2pEvents>()
    const guard = new ConnectionGuard({ events }, { trust, limits })
    const tell = (): boolean => events.dispatchEvent(new CustomEvent('connection:open', { detail: inbound }))
    tell()
    expect(guard.peers).toBe(1)
    const closed = new Promise((resolve) => inbound.addEventListener('close', resolve, { once: true }))
    inbound.abort(new Error('gone'))
    await closed
    expect(guard.peers).toBe(0)
    tell()
    expect(guard.peers).toBe(0)
  })

  it('with a revoked key is given no stream, so that nobody tells it who is here', async () => {
    revoked = key.publicKey
    const { inbound } = await dial()
    await expect(inbound.newStream(id)).rejects.toThrow(RevokedError)
    revoked = undefined
  })
})
