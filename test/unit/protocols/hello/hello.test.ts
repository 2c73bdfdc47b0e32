import type { Connection } from '@libp2p/interface'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { hearClocks } from '../../../../src/node/follow-registry.ts'
import { PeerClocks } from '../../../../src/node/peers/peer-clocks.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import { discoveryHello, registryHello } from '../../../../src/protocols/hello/index.ts'
import { Hello as HelloMessage } from '../../../../src/protocols/hello/pb/hello.ts'
import { networkIdText } from '../../../../src/registry/objects/genesis.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../../src/runtime/supervisor.ts'
import { closed, exchange, member, opened, peer, stopOpened, twoMembers } from '../../../helpers/hosts/hello-hosts.ts'
import { connect, connectionWith, startPlainHost, withoutSockets } from '../../../helpers/hosts.ts'
import { TinyNetwork, TinyReplica } from '../../../helpers/registry/tiny-network.ts'

withoutSockets()

afterEach(stopOpened)

describe('hello', () => {
  it('proves two members to each other, without identify', async () => {
    const { network, a, b } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const beta = await member(network, b, 'integrated')
    const connection = await connect(beta.host, alpha.host)
    const [atBeta, atAlpha] = await Promise.all([beta.proven, alpha.proven])
    expect(atBeta.member).toMatchObject({ name: 'alpha', role: 'root' })
    expect(atBeta.status).toBe(statuses.OK)
    expect(atAlpha.member).toMatchObject({ name: 'beta', role: 'integrated' })
    expect(beta.trust.isMember(connection)).toBe(true)
    expect(alpha.trust.isMember(atAlpha.connection)).toBe(true)
    expect(alpha.trust.strangers).toBe(0)
  })

  it('is said again on a connection that lasts, by the side that dialled, and both go on hearing the clock of the other', async () => {
    const { network, a, b } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const beta = await member(network, b, 'integrated')
    const services = new Supervisor()
    onTestFinished(() => services.stop())
    const heardBy = ({ hello }: typeof alpha) => {
      const clocks = new PeerClocks(systemClock)
      const third = Promise.withResolvers<void>()
      let times = 0
      hello.events.addEventListener('proven', ({ detail }) => {
        clocks.heard(detail.peerId.toString(), detail.hello.timeMs)
        if (++times === 3) third.resolve()
      })
      return { clocks, third: third.promise }
    }
    const heard = [heardBy(alpha), heardBy(beta)]
    const connection = await connect(beta.host, alpha.host)
    for (const { hello, trust } of [alpha, beta]) hearClocks(services, { hello, trust, logger: silentLogger }, 20)
    for (const { clocks, third } of heard) {
      await third
      expect(clocks.compare(undefined)).toMatchObject({ heard: 1, agreeing: 1 })
    }
    expect(connection.status).toBe('open')
    expect(alpha.host.getConnections()).toHaveLength(1)
  })

  it('proves the network to a joiner with its pin, and keeps the joiner a stranger until it is admitted', async () => {
    const { network, a } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const key = SigningKey.generate()
    const source = discoveryHello({ role: 'integrated', software: 'test', pin: network.networkId, maxDelegations: 8 })
    const joiner = await peer(source, key)
    const connection = await connect(joiner.host, alpha.host)
    const proven = await joiner.proven
    expect(proven.status).toBe(statuses.NOT_MEMBER)
    expect(source.proven.get(networkIdText(network.networkId))?.genesis.value.domain).toBe('example.org')
    const refused = await alpha.refused
    expect(refused.status).toBe(statuses.NOT_MEMBER)
    expect(alpha.trust.isMember(refused.connection)).toBe(false)
    expect(connection.status).toBe('open')

    network.admit(key, 'gamma', 'integrated')
    const replica = new TinyReplica(network)
    const own = { publicKey: key.publicKey, software: 'test', maxDelegations: 8 }
    joiner.hello.use(
      registryHello({ networkId: network.networkId, genesis: network.genesis, role: 'integrated', replica }, own)
    )
    // The registry has not got the entry yet: the joiner shows it.
    expect(await joiner.hello.again(connection)).toMatchObject({ kind: 'member' })
    expect((await alpha.proven).member.name).toBe('gamma')
    expect(alpha.trust.isMember(refused.connection)).toBe(true)
  })

  it('collects networks without a pin only from peers that it dialled', async () => {
    const { network, a } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const source = discoveryHello({ role: 'integrated', software: 'test', maxDelegations: 8 })
    const fresh = await peer(source, SigningKey.generate())
    await connect(alpha.host, fresh.host)
    expect((await fresh.refused).status).toBe(statuses.UNAVAILABLE)
    expect(source.proven.size).toBe(0)
    await fresh.host.hangUp(alpha.host.peerId)
    await connect(fresh.host, alpha.host)
    expect((await fresh.proven).member.name).toBe('alpha')
    expect([...source.proven.keys()]).toEqual([networkIdText(network.networkId)])
  })

  it('tells a host of another network which one this is and nothing else, and the dialler closes', async () => {
    const { network, a } = await twoMembers()
    const other = new TinyNetwork('other.example')
    const key = SigningKey.generate()
    other.admit(key, 'alien', 'root')
    const alpha = await member(network, a, 'root')
    const alien = await member(other, key, 'root')
    const connection = await connect(alien.host, alpha.host)
    const refused = await alien.refused
    expect(refused).toMatchObject({ status: statuses.WRONG_NETWORK, networkId: network.networkId })
    await closed(connection)
    const plain = await startPlainHost()
    opened.push(plain)
    const answer = await exchange(
      await connect(plain, alpha.host),
      HelloMessage.encode({
        version: 1,
        networkId: other.networkId,
        admit: other.entries[0]?.bytes ?? new Uint8Array()
      })
    )
    expect(answer).toEqual({
      ...HelloMessage.decode(new Uint8Array()),
      version: 1,
      networkId: network.networkId,
      status: statuses.WRONG_NETWORK
    })
  })

  it('gives a host that says no hello nothing, and closes the connection', async () => {
    const { network, a } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const plain = await startPlainHost()
    opened.push(plain)
    const connection = await connect(alpha.host, plain)
    expect((await alpha.refused).status).toBe(statuses.INTERNAL)
    await closed(connection)
  })

  it('accepts no entry of another key, none that is forged, and none of a revoked key', async () => {
    const { network, a, b } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const thief = await startPlainHost()
    opened.push(thief)
    const stolen = {
      version: 1,
      networkId: network.networkId,
      genesis: network.genesis.bytes,
      checkpoint: network.checkpoint().bytes
    }
    const entryOfB = network.entries[1]?.bytes ?? new Uint8Array()
    const connection = await connect(thief, alpha.host)
    expect((await exchange(connection, HelloMessage.encode({ ...stolen, admit: entryOfB }))).status).toBe(
      statuses.NOT_MEMBER
    )
    const bent = entryOfB.slice()
    bent[bent.length - 1] = (bent[bent.length - 1] ?? 0) ^ 1
    expect((await exchange(connection, HelloMessage.encode({ ...stolen, admit: bent }))).status).toBe(statuses.INVALID)
    expect(alpha.trust.isMember(await connectionWith(alpha.host, thief))).toBe(false)

    const beta = await member(network, b, 'integrated')
    network.revoke(b)
    alpha.replica?.catchUp()
    // Its own replica has alpha for a member; nothing more is to be had from it, so nothing more is asked of it.
    const refused = await connect(beta.host, alpha.host)
    expect((await beta.refused).status).toBe(statuses.REVOKED)
    await closed(refused)
    expect(beta.trust.isMember(refused)).toBe(false)
  })

  it('accepts a registry that was admitted in an epoch it has not heard of, by the delegations that it shows', async () => {
    const { network, b } = await twoMembers()
    const behind = new TinyReplica(network)
    network.delegate()
    const key = SigningKey.generate()
    network.admit(key, 'delta', 'secondary')
    const delta = await member(network, key, 'secondary')
    const beta = await member(network, b, 'integrated', {}, behind)
    await connect(beta.host, delta.host)
    expect((await beta.proven).member).toMatchObject({ name: 'delta', role: 'secondary' })
  })

  it('refuses delegations that the authority did not sign', async () => {
    const { network } = await twoMembers()
    const thief = SigningKey.generate()
    const forged = network.append({ kind: 'delegate', body: { logKey: thief.publicKey } })
    network.epoch = 1
    const source = discoveryHello({ role: 'integrated', software: 'test', pin: network.networkId, maxDelegations: 8 })
    const message = HelloMessage.decode(
      HelloMessage.encode({
        version: 1,
        networkId: network.networkId,
        genesis: network.genesis.bytes,
        delegations: [forged.bytes],
        checkpoint: network.checkpoint().bytes,
        admit: network.entries[0]?.bytes ?? new Uint8Array()
      })
    )
    expect(await source.judge(message, thief.publicKey, { dialled: true })).toMatchObject({
      kind: 'stranger',
      status: statuses.INVALID
    })
  })

  it('answers a newer version politely, garbage with MALFORMED, and too many with RATE_LIMITED', async () => {
    const { network, a } = await twoMembers()
    const alpha = await member(network, a, 'root', { hello: { rate: { count: 3, perMs: 3_600_000 } } })
    const plain = await startPlainHost()
    opened.push(plain)
    const connection = await connect(plain, alpha.host)
    const seen: number[] = []
    for (const bytes of [
      HelloMessage.encode({ version: 2 }),
      Uint8Array.of(0xff, 1, 2),
      HelloMessage.encode({ version: 1 })
    ]) {
      seen.push((await exchange(connection, bytes)).status)
    }
    seen.push((await exchange(connection, HelloMessage.encode({ version: 1 }))).status)
    expect(seen).toEqual([statuses.UNSUPPORTED_VERSION, statuses.MALFORMED, statuses.NOT_MEMBER, statuses.RATE_LIMITED])
    expect(connection.status).toBe('open')
  })

  it('judges whatever bytes come, without throwing and without trusting', async () => {
    const { network, a } = await twoMembers()
    const source = discoveryHello({ role: 'integrated', software: 'test', pin: network.networkId, maxDelegations: 8 })
    const entry = network.entries[0]?.bytes ?? new Uint8Array()
    const good = HelloMessage.encode({
      version: 1,
      networkId: network.networkId,
      genesis: network.genesis.bytes,
      checkpoint: network.checkpoint().bytes,
      admit: entry
    })
    expect((await source.judge(HelloMessage.decode(good), a.publicKey, { dialled: true })).kind).toBe('member')
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bent = Uint8Array.from(good)
        bent[at] = (bent[at] ?? 0) ^ flip
        let message: HelloMessage
        try {
          message = HelloMessage.decode(bent)
        } catch {
          return
        }
        const verdict = await source.judge(message, a.publicKey, { dialled: true })
        // The unsigned fields around the proof may differ; nothing that is signed may.
        const trusted = verdict.kind === 'member' ? message.admit : entry
        expect(trusted).toEqual(entry)
      }),
      { numRuns: 300 }
    )
  })

  it('closes strangers after their time, and those beyond their number at once', async () => {
    const { network, a } = await twoMembers()
    const alpha = await member(network, a, 'root', { strangers: { open: 2, ms: 300 }, hello: { settleMs: 100 } })
    const plain = await Promise.all([startPlainHost(), startPlainHost(), startPlainHost()])
    opened.push(...plain)
    const connections: Connection[] = []
    for (const host of plain) connections.push(await connect(host, alpha.host))
    await Promise.all(connections.map(closed))
    expect(alpha.trust.strangers).toBe(0)
  })

  it('closes the connections of a key when it is revoked', async () => {
    const { network, a, b } = await twoMembers()
    const alpha = await member(network, a, 'root')
    const beta = await member(network, b, 'integrated')
    const connection = await connect(beta.host, alpha.host)
    await alpha.proven
    alpha.trust.ended(b.publicKey)
    await closed(connection)
    expect([...alpha.trust.members()]).toEqual([])
  })
})
