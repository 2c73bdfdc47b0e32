import type { Ping } from '@libp2p/ping'
import { ping } from '@libp2p/ping'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { dhtResolver } from '../../../../src/node/resolve/in-network.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { type Kad, kad, kadProtocol } from '../../../../src/protocols/kad/index.ts'
import { recordKey } from '../../../../src/protocols/kad/record-key.ts'
import { silentLogger } from '../../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../../src/runtime/supervisor.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withSockets } from '../../../helpers/hosts.ts'
import { recordOf } from '../../../helpers/observations.ts'
import { networkId } from '../../../helpers/signed-objects.ts'

withSockets()

type Services = { ping: Ping; kad: Kad }
type KadHost = MemberHost<Services>

const hosts: KadHost[] = []

async function start(members: Members, options: { server: boolean; stranger?: boolean }): Promise<KadHost> {
  const host = await startMember<Services>({
    members,
    role: options.stranger === true ? 'stranger' : options.server ? 'root' : 'integrated',
    services: ({ trust, records }) => ({
      ping: ping(),
      kad: kad({
        source: { networkId, records, replica: { isMember: (key) => members.has(peerIdText(key)) } },
        trust,
        logger: silentLogger,
        server: options.server
      })
    })
  })
  hosts.push(host)
  return host
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

/** Resolves when `host` knows by identify that the other one serves the DHT. */
async function knowsServer(host: KadHost, server: KadHost): Promise<void> {
  const protocol = kadProtocol(networkId)
  const known = async () => {
    const peer = await host.host.peerStore.get(server.host.peerId).catch(() => undefined)
    return peer?.protocols.includes(protocol) === true
  }
  await expect.poll(known, { interval: 10, timeout: ceilingMs }).toBe(true)
}

async function network(): Promise<{ members: Members; server: KadHost; owner: KadHost; finder: KadHost }> {
  const members: Members = new Map()
  const server = await start(members, { server: true })
  const owner = await start(members, { server: false })
  const finder = await start(members, { server: false })
  for (const host of [owner, finder]) {
    await connect(host.host, server.host)
    await knowsServer(host, server)
  }
  return { members, server, owner, finder }
}

describe('DHT of node records', () => {
  test('a member finds the record that another one put, and the server and the finder know it from then on', async () => {
    const { server, owner, finder } = await network()
    const record = recordOf(owner.key, 3)
    await expect.poll(() => owner.host.services.kad.putRecord(record), { timeout: ceilingMs }).toBe(1)
    const found = await finder.host.services.kad.findRecord(owner.key.publicKey)
    expect(found.bytes).toEqual(record.bytes)
    expect(server.records.get(owner.key.publicKey)?.seq).toBe(3)
    expect(finder.records.get(owner.key.publicKey)?.seq).toBe(3)
  })

  test('a record that was put while no server was known is put again once there is one', async () => {
    const members: Members = new Map()
    const owner = await start(members, { server: false })
    const { services } = owner.host
    expect(await services.kad.putRecord(recordOf(owner.key, 3))).toBe(0)
    const limits = { kad: { ...defaultLimits.kad, unheldMs: 20 } }
    const supervisor = new Supervisor()
    onTestFinished(() => supervisor.stop())
    await dhtResolver(() => ({ services, limits }), supervisor).register?.(recordOf(owner.key, 3))
    const server = await start(members, { server: true })
    await connect(owner.host, server.host)
    const seq = () => server.records.get(owner.key.publicKey)?.seq
    await expect.poll(seq, { interval: 10, timeout: ceilingMs }).toBe(3)
  })

  test('the replay of an older record changes nothing, whoever sends it', async () => {
    const { server, owner, finder } = await network()
    const older = recordOf(owner.key, 1)
    const newer = recordOf(owner.key, 2)
    await expect.poll(() => owner.host.services.kad.putRecord(newer), { timeout: ceilingMs }).toBe(1)
    expect(await finder.host.services.kad.putRecord(older)).toBe(0)
    expect((await finder.host.services.kad.findRecord(owner.key.publicKey)).value.seq).toBe(2)
    expect(server.records.get(owner.key.publicKey)?.seq).toBe(2)
  })

  test('a record of a key that is no member, or under the key of another member, is refused', async () => {
    const { members, owner, finder, server } = await network()
    const nobody = SigningKey.generate()
    expect(await owner.host.services.kad.putRecord(recordOf(nobody, 1))).toBe(0)
    await expect(finder.host.services.kad.findRecord(nobody.publicKey)).rejects.toThrow(
      expect.objectContaining({ name: 'NotFoundError' })
    )
    const foreign = { ...recordOf(owner.key, 1), value: { ...recordOf(finder.key, 1).value } }
    expect(await owner.host.services.kad.putRecord(foreign)).toBe(0)
    expect(server.records.count()).toBe(0)
    expect(members.size).toBe(3)
  })

  test('a stranger gets nothing from it and is in no routing table', async () => {
    const { members, owner, server } = await network()
    await expect.poll(() => owner.host.services.kad.putRecord(recordOf(owner.key, 1)), { timeout: ceilingMs }).toBe(1)
    const stranger = await start(members, { server: true, stranger: true })
    const connection = await connect(stranger.host, server.host)
    const stream = await connection.newStream(kadProtocol(networkId))
    await expect.poll(() => stream.status, { interval: 10, timeout: ceilingMs }).toBe('reset')
  })

  test('a query without an answer ends with its signal', async () => {
    const members: Members = new Map()
    const alone = await start(members, { server: false })
    const signal = AbortSignal.timeout(2_000)
    await expect(alone.host.services.kad.findRecord(alone.key.publicKey, { signal })).rejects.toThrow(
      expect.objectContaining({ name: 'NotFoundError' })
    )
  })

  test('keys carry the PeerId as text', () => {
    const { publicKey } = SigningKey.generate()
    expect(new TextDecoder().decode(recordKey(publicKey))).toBe(`/trustnet/${peerIdText(publicKey)}`)
  })
})
