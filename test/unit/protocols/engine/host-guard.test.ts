import type { Libp2p } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { type HostGuardComponents, hostGuard } from '../../../../src/protocols/engine/host-guard.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { ConnectionTrust } from '../../../../src/protocols/engine/trust/connection-trust.ts'
import { connect, connectionWith, startHost, startPlainHost, withSockets } from '../../../helpers/hosts.ts'

withSockets()

const id = '/test/any/1.0.0'
const identify = '/ipfs/id/1.0.0'
const limits = limitsWith({ identify: { opens: { count: 3, perMs: 3_600_000 } } })

let trust: ConnectionTrust
let server: Libp2p
let client: Libp2p
let key: SigningKey
let revoked: boolean
/** Streams that were handed on to the program. */
let handled: number

beforeEach(async () => {
  key = SigningKey.generate()
  revoked = false
  handled = 0
  trust = new ConnectionTrust({ limits: limits.strangers, settleMs: 1_000, isRevoked: () => revoked })
  server = await startHost({ guard: (components: HostGuardComponents) => hostGuard({ trust, limits })(components) })
  client = await startPlainHost({ privateKey: key.toLibp2p(), identifies: false })
  await server.handle(id, async (stream) => {
    handled++
    stream.send(Uint8Array.of(1))
    await stream.close()
  })
})

afterEach(async () => {
  await Promise.all([server.stop(), client.stop()])
  trust.clear()
})

/** True for a stream that brought something before it ended. */
const answers = async (protocol: string): Promise<boolean> => {
  const [connection = await connect(client, server)] = client.getConnections()
  const stream = await connection.newStream(protocol).catch(() => undefined)
  if (stream === undefined) return false
  let bytes = 0
  stream.addEventListener('message', ({ data }) => (bytes += data.byteLength))
  await expect.poll(() => bytes > 0 || stream.status !== 'open').toBe(true)
  await stream.close().catch(() => {})
  const left = () =>
    server.getConnections().flatMap(({ streams }) => streams.filter((each) => each.protocol === protocol))
  await expect.poll(left).toEqual([])
  return bytes > 0
}

describe('a host that is guarded', () => {
  it('serves whoever was not refused', async () => {
    expect([await answers(id), handled]).toEqual([true, 1])
  })

  it('resets every stream of a connection that hello refused, whatever protocol it is of', async () => {
    await connect(client, server)
    const inbound = await connectionWith(server, client)
    trust.track(inbound)
    trust.refuse(inbound)
    for (const protocol of [id, identify]) expect(await answers(protocol)).toBe(false)
    expect(handled).toBe(0)
  })

  it('says to a revoked key neither who it is nor who is here', async () => {
    await connect(client, server)
    revoked = true
    expect(await answers(identify)).toBe(false)
  })

  it('identifies itself only so often to one peer, and names who asks more', async () => {
    const answered: boolean[] = []
    for (let asked = 0; asked < 8; asked++) answered.push(await answers(identify))
    expect(answered).toEqual([true, true, true, false, false, false, false, false])
    expect(trust.culprits.counts.map(({ limit }) => limit)).toEqual(['identify.opens'])
  })

  it('remembers no more addresses and protocols of a peer than the limits allow', async () => {
    await connect(client, server)
    const { addresses, protocols } = limits.peers
    const many = Array.from({ length: 100 }, (_, each) => `/many/${each}`)
    await server.peerStore.merge(client.peerId, { protocols: many })
    const peer = await server.peerStore.get(client.peerId)
    expect(peer.protocols.length).toBeLessThanOrEqual(protocols)
    expect(peer.addresses.length).toBeLessThanOrEqual(addresses)
  })
})
