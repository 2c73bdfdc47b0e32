import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generateKeyPair, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { Gater } from '../../../src/node/host/gater.ts'
import { announceAgain, forgetStrangers } from '../../../src/node/host/libp2p.ts'
import { Culprits } from '../../../src/protocols/engine/culprits.ts'
import { notKeys } from '../../helpers/faults/not-keys.ts'
import { inboundLimits, type NetHost, netHost } from '../../helpers/hosts/net-hosts.ts'

const portOf = (host: NetHost): number => Number(host.address.split('/').at(-1))

/** A socket that says nothing. One that is refused at once may be reset before it is connected. */
const silent = async (host: NetHost): Promise<Socket> => {
  const socket = connect(portOf(host), '::1')
  socket.on('error', () => {})
  await Promise.race([once(socket, 'connect').catch(() => {}), closed(socket)])
  return socket
}

/** Not `once` of events: a reset is an error to it. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())))

const until = async (emitter: EventTarget, event: string, fine: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await fine())) await new Promise((resolve) => emitter.addEventListener(event, resolve, { once: true }))
}

const badAddresses = {
  'an IPv4 address': '/ip4/127.0.0.1/tcp/9000',
  'a name for any family': '/dns/localhost/tcp/9000',
  'a name for IPv4': '/dns4/localhost/tcp/9000',
  'a name for IPv6': '/dns6/localhost/tcp/9000',
  'a dnsaddr': '/dnsaddr/example.org',
  'a unix socket': '/unix/%2Ftmp%2Fx.sock',
  'a mapped IPv4 address': '/ip6/::ffff:127.0.0.1/tcp/9000',
  'a compatible IPv4 address': '/ip6/::7f00:1/tcp/9000',
  'a NAT64 address': '/ip6/64:ff9b::7f00:1/tcp/9000',
  'a 6to4 address': '/ip6/2002:7f00:1::1/tcp/9000',
  'a Teredo address': '/ip6/2001:0:4136:e378::1/tcp/9000',
  'the unspecified address': '/ip6/::/tcp/9000',
  'a multicast address': '/ip6/ff02::1/tcp/9000',
  'an address with a zone': '/ip6zone/eth0/ip6/fe80::1/tcp/9000',
  'a UDP address': '/ip6/2001:db8::1/udp/9000/quic-v1',
  'a websocket': '/ip6/2001:db8::1/tcp/9000/ws',
  'a relay': '/ip6/2001:db8::1/tcp/9000/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA/p2p-circuit',
  'an address without a port': '/ip6/2001:db8::1'
}

describe('IPv6 only', () => {
  it.each(Object.entries(badAddresses))('neither dials nor stores nor announces %s', async (_what, address) => {
    await using host = await netHost({ announce: () => [address, '/ip6/2001:db8::5/tcp/9000'] })
    const peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    await expect(host.libp2p.dial(multiaddr(address))).rejects.toThrow(/denied|no valid addresses/)
    await host.libp2p.peerStore.merge(peerId, { multiaddrs: [multiaddr(address)] })
    expect((await host.libp2p.peerStore.get(peerId)).addresses).toEqual([])
    expect(host.libp2p.getMultiaddrs().map(String)).toEqual([`/ip6/2001:db8::5/tcp/9000/p2p/${host.peerId}`])
  })

  it('dials and stores global, unique local and loopback addresses', () => {
    const gater = new Gater({ limits: inboundLimits })
    for (const ip of ['2001:db8::1', '2a01:4f8::1', 'fd12:3456:789a::1', '::1']) {
      expect(gater.denyDialMultiaddr(multiaddr(`/ip6/${ip}/tcp/9000`))).toBe(false)
    }
  })
})

describe('announced addresses', () => {
  it('are exactly the chosen ones, also for a peer that asks by identify', async () => {
    const chosen = ['/ip6/fd12:3456:789a::1/tcp/9000', '/ip6/2a01:4f8::5/tcp/9001', '/ip6/::1/tcp/9002']
    await using host = await netHost({ announce: () => chosen })
    await using other = await netHost()
    const identified = new Promise<void>((resolve) =>
      other.libp2p.addEventListener('peer:identify', () => resolve(), { once: true })
    )
    await other.libp2p.dial(multiaddr(host.address))
    await identified
    const { addresses } = await other.libp2p.peerStore.get(host.libp2p.peerId)
    expect(addresses.map((known) => known.multiaddr.toString()).toSorted()).toEqual(chosen.toSorted())
  })

  it('reach connected peers when they change', async () => {
    let chosen = ['/ip6/2a01:4f8:1::5/tcp/9000']
    await using host = await netHost({ announce: () => chosen })
    await using other = await netHost()
    const known = async (): Promise<string[]> =>
      (await other.libp2p.peerStore.get(host.libp2p.peerId)).addresses.map((one) => one.multiaddr.toString())
    const seen = (address: string) =>
      until(other.libp2p, 'peer:identify', async () => (await known()).includes(address))
    await other.libp2p.dial(multiaddr(host.address))
    await seen('/ip6/2a01:4f8:1::5/tcp/9000')
    chosen = ['/ip6/2a01:4f8:2::5/tcp/9000']
    await announceAgain(host.libp2p, chosen)
    await seen('/ip6/2a01:4f8:2::5/tcp/9000')
    expect(await known()).toEqual(chosen)
  })
})

describe('keys', () => {
  it('a revoked key is not dialled, and let in ten times a minute, to be told so', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const revoked = peerIdFromPrivateKey(privateKey).toString()
    await using host = await netHost({ isRevoked: (peerId) => peerId === revoked })
    await using outcast = await netHost({ privateKey })
    await expect(host.libp2p.dial(multiaddr(outcast.address))).rejects.toThrow('denyOutboundEncryptedConnection')
    for (let each = 0; each < 10; each++) {
      const connection = await outcast.libp2p.dial(multiaddr(host.address))
      await connection.close()
    }
    await outcast.libp2p.dial(multiaddr(host.address)).catch(() => {})
    await until(outcast.libp2p, 'connection:close', () => outcast.libp2p.getConnections().length === 0)
    await until(host.libp2p, 'connection:close', () => host.libp2p.getConnections().length === 0)
  })

  it.each(notKeys)('nobody is dialled or let in as $name', async ({ publicKey }) => {
    await using host = await netHost()
    const peerId = peerIdFromPublicKey(publicKeyFromRaw(publicKey))
    expect([host.gater.denyDialPeer(peerId), host.gater.denyOutboundConnection(peerId)]).toEqual([true, true])
    await expect(host.libp2p.dial(multiaddr(`${host.address}/p2p/${String(peerId)}`))).rejects.toThrow(/gater/)
  })

  it('only Ed25519 keys are let in', async () => {
    await using host = await netHost()
    await using other = await netHost({ privateKey: await generateKeyPair('secp256k1') })
    await expect(host.libp2p.dial(multiaddr(other.address))).rejects.toThrow('denyOutboundEncryptedConnection')
  })
})

describe('limits per /64 before Noise', () => {
  it('4 silent sockets of strangers are held, the fifth is closed at once, and a slot is free again after its socket', async () => {
    await using host = await netHost({ countLoopback: true })
    const held = await Promise.all([silent(host), silent(host), silent(host), silent(host)])
    await closed(await silent(host))
    expect(host.gater.inbound).toEqual({ unfinished: 4, open: 0, refused: 1 })
    const [first] = held
    first?.destroy()
    await using honest = await netHost()
    const tryAgain = async (): Promise<void> => {
      const done = await honest.libp2p.dial(multiaddr(host.address)).catch(() => undefined)
      if (done === undefined) await tryAgain()
    }
    await tryAgain()
    for (const socket of held) socket.destroy()
    await expect.poll(() => host.gater.inbound).toMatchObject({ open: 1 })
  })

  it('a stranger that stays silent is cut after the upgrade timeout', async () => {
    const limits = { ...inboundLimits, upgradeTimeoutMs: 50 }
    await using host = await netHost({ countLoopback: true, limits })
    await closed(await silent(host))
    expect(host.gater.inbound.unfinished).toBe(0)
  })

  it('64 handshakes are possible from a /64 with a known member, and the oldest makes room for one more', async () => {
    await using host = await netHost({ countLoopback: true, knownPrefix: (prefix) => prefix === '0'.repeat(16) })
    const held = await Promise.all(Array.from({ length: 64 }, () => silent(host)))
    await expect.poll(() => host.gater.inbound.unfinished).toBe(64)
    const more = await silent(host)
    await expect.poll(() => held.filter((socket) => socket.closed).length).toBe(1)
    expect(more.closed).toBe(false)
    expect(host.gater.inbound).toEqual({ unfinished: 64, open: 0, refused: 1 })
    for (const socket of [...held, more]) socket.destroy()
  })

  it('strangers of all prefixes together leave half of the handshakes to members, and the oldest of them gives way', async () => {
    const limits = { ...inboundLimits, unfinished: 8, unfinishedPerPrefix: 100 }
    let known = false
    await using host = await netHost({ countLoopback: true, limits, knownPrefix: () => known })
    const held = [await silent(host)]
    for (let more = 0; more < 3; more++) held.push(await silent(host))
    const [oldest, ...others] = held
    held.push(await silent(host))
    if (oldest !== undefined) await closed(oldest)
    expect(others.filter((socket) => socket.closed)).toEqual([])
    known = true
    held.push(...(await Promise.all(Array.from({ length: 5 }, () => silent(host)))))
    // Strangers go before members.
    await expect.poll(() => others.filter((socket) => socket.closed).length).toBe(1)
    expect(host.gater.inbound).toEqual({ unfinished: 8, open: 0, refused: 2 })
    for (const socket of held) socket.destroy()
  })

  it('16 connections of a /64 may be open, unless a member is known there', async () => {
    const limits = { ...inboundLimits, openPerPrefix: 2 }
    let known = false
    await using host = await netHost({ countLoopback: true, limits, knownPrefix: () => known })
    const dial = async (from: NetHost) => await from.libp2p.dial(multiaddr(host.address), { force: true })
    await using a = await netHost()
    await using b = await netHost()
    await using c = await netHost()
    await dial(a)
    await dial(b)
    await expect.poll(() => host.gater.inbound).toMatchObject({ open: 2, unfinished: 0 })
    await expect(dial(c)).rejects.toThrow(/clos|reset|abort|EOF|ended/i)
    known = true
    await dial(c)
    await expect.poll(() => host.gater.inbound).toMatchObject({ open: 3, unfinished: 0 })
  })

  it('connections are bounded, and the last tenth of them is for members', async () => {
    const limits = { ...inboundLimits, connections: 10, unfinishedPerPrefix: 100 }
    let known = false
    await using host = await netHost({ countLoopback: true, limits, knownPrefix: () => known })
    const held = await Promise.all(Array.from({ length: 9 }, () => silent(host)))
    await closed(await silent(host))
    known = true
    held.push(await silent(host))
    await closed(await silent(host))
    expect(host.gater.inbound).toEqual({ unfinished: 10, open: 0, refused: 2 })
    for (const socket of held) socket.destroy()
  })

  it('a handshake of many lines is cut, of loopback too, and its /64 is named once', async () => {
    const culprits = new Culprits()
    await using host = await netHost({ culprits })
    for (let socket = 0; socket < 3; socket++) {
      const lines = await silent(host)
      lines.write(Buffer.concat(Array.from({ length: 4_000 }, () => Buffer.from([2, 0x61, 0x0a]))))
      await closed(lines)
    }
    const who = '/ip6/0000:0000:0000:0000::/ipcidr/64'
    expect(culprits.counts).toMatchObject([{ limit: 'limits.handshakeBytes', count: 3, culprits: [{ who, count: 3 }] }])
  })

  it('loopback and configured prefixes are not counted', async () => {
    const limits = { ...inboundLimits, exemptPrefixes: ['::/64'] }
    for (const init of [{}, { countLoopback: true, limits }]) {
      await using host = await netHost(init)
      const held = await Promise.all(Array.from({ length: 20 }, () => silent(host)))
      await using honest = await netHost()
      await honest.libp2p.dial(multiaddr(host.address))
      expect(host.gater.inbound).toEqual({ unfinished: 0, open: 0, refused: 0 })
      for (const socket of held) socket.destroy()
    }
  })

  it('all together are no more than the descriptors allow, loopback and exempt prefixes too', async () => {
    await using host = await netHost({ limits: { ...inboundLimits, sockets: 3 } })
    const held = await Promise.all([silent(host), silent(host), silent(host)])
    await closed(await silent(host))
    expect(host.gater.inbound.refused).toBe(1)
    for (const socket of held) socket.destroy()
  })

  it('of one key so many connections stay, and the newest ones', async () => {
    await using host = await netHost({ limits: { ...inboundLimits, openPerPeer: 3 } })
    await using peer = await netHost()
    await using other = await netHost()
    const dial = async (from: NetHost) => await from.libp2p.dial(multiaddr(host.address), { force: true })
    const others = await dial(other)
    const opened: Connection[] = []
    for (let made = 0; made < 5; made++) opened.push(await dial(peer))
    await expect.poll(() => opened.map(({ status }) => status === 'open')).toEqual([false, false, true, true, true])
    expect(others.status).toBe('open')
    await opened[4]?.close()
    await expect.poll(() => host.libp2p.getConnections(peer.libp2p.peerId).length).toBe(2)
    await dial(peer)
    expect(opened.map(({ status }) => status === 'open')).toEqual([false, false, true, true, false])
  })

  it('garbage instead of a handshake frees its slot', async () => {
    await using host = await netHost({ countLoopback: true, limits: { ...inboundLimits, upgradeTimeoutMs: 200 } })
    const socket = await silent(host)
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(200))
    await closed(socket)
    expect(host.gater.inbound.unfinished).toBe(0)
  })
})

describe('peer store', () => {
  it('forgets strangers when they go and keeps members', async () => {
    await using member = await netHost()
    await using stranger = await netHost()
    await using host = await netHost()
    const stop = forgetStrangers(host.libp2p, (peerId) => peerId === member.peerId)
    const identified = new Set<string>()
    host.libp2p.addEventListener('peer:identify', ({ detail }) => identified.add(detail.peerId.toString()))
    for (const one of [member, stranger]) await one.libp2p.dial(multiaddr(host.address))
    await until(host.libp2p, 'peer:identify', () => identified.size === 2)
    for (const one of [member, stranger]) await one.libp2p.hangUp(host.libp2p.peerId)
    await until(host.libp2p, 'peer:disconnect', () => host.libp2p.getConnections().length === 0)
    await expect.poll(() => host.libp2p.peerStore.has(stranger.libp2p.peerId)).toBe(false)
    expect(await host.libp2p.peerStore.has(member.libp2p.peerId)).toBe(true)
    stop()
  })
})
