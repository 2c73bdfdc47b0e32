import { afterEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { discoveryHello } from '../../../../src/protocols/hello/index.ts'
import { Hello as HelloMessage } from '../../../../src/protocols/hello/pb/hello.ts'
import { closed, exchange, member, opened, peer, stopOpened, twoMembers } from '../../../helpers/hosts/hello-hosts.ts'
import { connect, startHost, startPlainHost, withoutSockets } from '../../../helpers/hosts.ts'
import { TinyNetwork } from '../../../helpers/registry/tiny-network.ts'

withoutSockets()

afterEach(stopOpened)

describe('a membership that ends', () => {
  it('in the middle of a session closes it, and its next hello is that of a stranger', async () => {
    const { network, a } = await twoMembers()
    const key = SigningKey.generate()
    network.admit(key, 'short', 'integrated', Date.now() + 60_000)
    const alpha = await member(network, a, 'root')
    const short = await member(network, key, 'integrated')
    const connection = await connect(short.host, alpha.host)
    await Promise.all([alpha.proven, short.proven])
    const { replica, trust } = alpha
    if (replica === undefined) throw new Error('a member has a replica')
    const isMember = (publicKey: Uint8Array) => replica.isMember(publicKey)
    trust.recheck(isMember)
    expect(connection.status).toBe('open')

    replica.checkpoint = network.checkpoint({ timeMs: Date.now() + 61_000 })
    trust.recheck(isMember)
    await closed(connection)
    expect([...trust.members()]).toEqual([])
    const late = await startPlainHost({ privateKey: key.toLibp2p() })
    opened.push(late)
    const bytes = HelloMessage.encode({ version: 1, networkId: network.networkId })
    const { status } = await exchange(await connect(late, alpha.host), bytes)
    expect(status).toBe(statuses.NOT_MEMBER)
    expect([...trust.members()]).toEqual([])
  })
})

describe('a flood of hellos', () => {
  it('is refused by its rate, and the others are answered', async () => {
    const { network, a, b } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const plain = await startPlainHost()
    opened.push(plain)
    const connection = await connect(plain, alpha.host)
    const seen = new Map<number, number>()
    const { count: burst, perMs } = limitsWith({}).hello.rate
    const from = performance.now()
    for (let count = 0; count < 100; count++) {
      const { status } = await exchange(connection, HelloMessage.encode({ version: 1 }))
      seen.set(status, (seen.get(status) ?? 0) + 1)
    }
    // The rate lets one more in with each of its shares of the time that the flood took.
    const most = burst + 1 + ((performance.now() - from) * burst) / perMs
    expect(seen.get(statuses.NOT_MEMBER)).toBeLessThanOrEqual(most)
    expect(seen.get(statuses.RATE_LIMITED)).toBe(100 - (seen.get(statuses.NOT_MEMBER) ?? 0))
    const beta = await member(network, b, 'integrated')
    await connect(beta.host, alpha.host)
    expect((await beta.proven).status).toBe(statuses.OK)
  })
})

describe('a host that cannot prove the network', () => {
  it('is given nothing but hello and identify by a machine that looks for its network', async () => {
    const network = new TinyNetwork()
    const asked = new Set<string>()
    // It would speak everything, and says that it belongs to the network, without any proof.
    const names = ['register', 'sync', 'lookup'].map((name) => `/trustnet/${name}/1.0.0`)
    const impostor = await startHost({})
    opened.push(impostor)
    for (const protocol of [...names, '/meshsub/1.1.0', '/ipfs/ping/1.0.0', '/ipfs/kad/1.0.0']) {
      await impostor.handle(protocol, () => void asked.add(protocol))
    }
    await impostor.handle('/trustnet/hello/1.0.0', async (stream) => {
      asked.add('/trustnet/hello/1.0.0')
      const bytes = HelloMessage.encode({ version: 1, networkId: network.networkId, genesis: network.genesis.bytes })
      stream.send(Uint8Array.of((bytes.length & 0x7f) | 0x80, bytes.length >>> 7))
      stream.send(bytes)
      await stream.close()
    })
    const source = discoveryHello({ role: 'integrated', software: 'test', pin: network.networkId, maxDelegations: 8 })
    const joiner = await peer(source, SigningKey.generate())
    const connection = await connect(joiner.host, impostor)
    const refused = await joiner.refused
    expect(refused.reason).toContain('no genesis or no checkpoint')
    await closed(connection)
    expect([...asked]).toEqual(['/trustnet/hello/1.0.0'])
    expect(source.proven.size).toBe(0)
  })
})
