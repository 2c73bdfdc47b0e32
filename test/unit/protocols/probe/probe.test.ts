import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeAddr } from '../../../../src/address/multiaddr.ts'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import { FrameStream } from '../../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { probe, probeId, probeServer } from '../../../../src/protocols/probe/index.ts'
import { ProbeAnswer, ProbeRequest } from '../../../../src/protocols/probe/pb/probe.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { recordOf } from '../../../helpers/observations.ts'
import { networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'

withoutSockets()

const limits = limitsWith({
  probe: { rate: { count: 6, perMs: 3_600_000 }, targetHost: { count: 4, perMs: 3_600_000 } }
})
const options = { networkId, limits }

type Services = { probe: unknown }
let members: Members
let registry: MemberHost<Services>
let asker: MemberHost<Services>
let connection: Connection

const start = (role: Role | 'stranger', key = SigningKey.generate()) =>
  startMember<Services>({
    members,
    role,
    key,
    services: ({ trust, records }) => ({
      probe: probeServer({ networkId, addrsOf: (publicKey) => records.read(publicKey)?.addrs ?? [], trust, limits })
    })
  })

/** `/ip6/::1/tcp/PORT` of a host. */
const addrOf = ({ host }: MemberHost<Services>): string =>
  host
    .getMultiaddrs()[0]
    ?.toString()
    .replace(/\/p2p\/.*/, '') ?? ''

const announces = async ({ key }: MemberHost<Services>, ...addrs: string[]): Promise<unknown> =>
  await registry.records.put(recordOf(key, 1, { addrs }).bytes)

beforeEach(async () => {
  members = new Map()
  registry = await start('root')
  asker = await start('integrated')
  connection = await connect(asker.host, registry.host)
})

afterEach(async () => {
  await Promise.all([registry, asker].map((host) => host[Symbol.asyncDispose]()))
})

describe('a probe', () => {
  it('says that an address of the asker can be dialled, over a new connection that is closed again', async () => {
    const addr = addrOf(asker)
    await announces(asker, addr)
    const directions: string[] = []
    asker.host.addEventListener('connection:open', ({ detail }) => directions.push(detail.direction))
    const closed = new Promise((resolve) => {
      asker.host.addEventListener('connection:close', ({ detail }) => resolve(detail.direction))
    })
    expect(await probe(connection, addr, options)).toBe(true)
    expect(directions).toEqual(['inbound'])
    expect(await closed).toBe('inbound')
    expect(connection.status).toBe('open')
  })

  it('says that nobody answers at an address, or somebody else does', async () => {
    const other = await start('integrated')
    try {
      await announces(asker, '/ip6/::1/tcp/1', addrOf(other))
      expect(await probe(connection, '/ip6/::1/tcp/1', options)).toBe(false)
      expect(await probe(connection, addrOf(other), options)).toBe(false)
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })

  it('dials nobody for somebody else: only addresses of the record that the asker has signed', async () => {
    await announces(asker, addrOf(asker))
    const dialled: unknown[] = []
    registry.host.addEventListener('connection:open', ({ detail }) => dialled.push(detail.remoteAddr))
    await expect(probe(connection, '/ip6/::1/tcp/1', options)).rejects.toMatchObject({ name: 'InvalidPayloadError' })
    expect(dialled).toEqual([])
  })

  it('dials one address only so often, and answers a peer only so often', async () => {
    const addr = addrOf(asker)
    await announces(asker, addr, '/ip6/::1/tcp/1')
    expect(await probe(connection, addr, options)).toBe(true)
    expect(await probe(connection, addr, options)).toBe(true)
    await expect(probe(connection, addr, options)).rejects.toMatchObject({ name: 'RateLimitedError' })
    expect(await probe(connection, '/ip6/::1/tcp/1', options)).toBe(false)
    expect(await probe(connection, '/ip6/::1/tcp/1', options)).toBe(false)
    await expect(probe(connection, '/ip6/::1/tcp/1', options)).rejects.toMatchObject({ name: 'RateLimitedError' })
    await expect(probe(connection, '/ip6/::1/tcp/2', options)).rejects.toMatchObject({ name: 'RateLimitedError' })
  })

  it('dials one host only so often, whatever the ports', async () => {
    const addrs = [1, 2, 3, 4, 5].map((port) => `/ip6/::1/tcp/${port}`)
    await announces(asker, ...addrs)
    for (const addr of addrs.slice(0, 4)) expect(await probe(connection, addr, options)).toBe(false)
    await expect(probe(connection, addrs[4] ?? '', options)).rejects.toMatchObject({ name: 'RateLimitedError' })
  })

  it('is for members alone, and for one network', async () => {
    await expect(probe(connection, addrOf(asker), { ...options, networkId: otherNetworkId })).rejects.toMatchObject({
      name: 'WrongNetworkError'
    })
    const stranger = await start('stranger')
    try {
      const open = await connect(stranger.host, registry.host)
      await expect(probe(open, addrOf(stranger), options)).rejects.toMatchObject({ name: 'NotMemberError' })
    } finally {
      await stranger[Symbol.asyncDispose]()
    }
  })

  it('refuses what is no probe, and dials nothing but IPv6 and TCP', async () => {
    const ask = async (bytes: Uint8Array) => {
      const frames = new FrameStream(await connection.newStream(probeId), { maxFrame: 64, limits: limits.stream })
      await frames.write(bytes)
      const answer = await frames.read()
      await frames.close()
      return answer
    }
    const statusOf = async (bytes: Uint8Array) => ProbeAnswer.decode((await ask(bytes)) ?? new Uint8Array()).status
    expect(await statusOf(Uint8Array.of(255, 255))).toBe(statuses.MALFORMED)
    const ip4 = ProbeRequest.encode({ version: 1, networkId, addr: Uint8Array.of(4, 192, 0, 2, 1, 6, 0, 80) })
    expect(await statusOf(ip4)).toBe(statuses.INVALID)
    const newer = ProbeRequest.encode({ version: 2, networkId, addr: encodeAddr('/ip6/::1/tcp/1') })
    expect(await statusOf(newer)).toBe(statuses.UNSUPPORTED_VERSION)
  })
})
