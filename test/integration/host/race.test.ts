import { createServer, type Server, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { raceDial } from '../../../src/node/bootstrap/dial-race.ts'
import { AddressError, NoCandidateError, PinMismatchError } from '../../../src/node/errors.ts'
import { type NetHost, netHost } from '../../helpers/hosts/net-hosts.ts'

const frozen: { server: Server; sockets: Set<Socket> }[] = []

/** Accepts and never says a word, like a stopped process: the kernel still answers. */
const freeze = async (): Promise<string> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  frozen.push({ server, sockets })
  const address = server.address()
  return `/ip6/::1/tcp/${typeof address === 'object' ? address?.port : 0}`
}

/** A port that nobody listens on. */
const dead = async (): Promise<string> => {
  const address = await freeze()
  const last = frozen.pop()
  await new Promise((resolve) => last?.server.close(resolve))
  return address
}

afterEach(() => {
  for (const { server, sockets } of frozen.splice(0)) {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
})

const components = (host: NetHost) => ({ libp2p: host.libp2p, gater: host.gater })

const failuresOf = async (race: Promise<unknown>): Promise<NoCandidateError['failures']> => {
  const error = await race.catch((reason: unknown) => reason)
  if (error instanceof NoCandidateError) return error.failures
  throw new Error('the race did not fail as a whole')
}

describe('raceDial', () => {
  it('reaches the living one of three without waiting for two that are frozen', async () => {
    await using host = await netHost()
    await using living = await netHost()
    const candidates = [await freeze(), await freeze(), living.address].map((address) => ({
      multiaddr: address,
      peerIds: [living.peerId]
    }))
    const start = performance.now()
    const { connection, address, failures } = await raceDial(components(host), candidates, { dialTimeoutMs: 60_000 })
    expect(performance.now() - start).toBeLessThan(60_000)
    expect(connection.remotePeer.toString()).toBe(living.peerId)
    expect(address).toBe(living.address)
    expect(failures).toEqual([])
  })

  it('goes on at once after a refused connection', async () => {
    await using host = await netHost()
    await using living = await netHost()
    const candidates = [{ multiaddr: await dead() }, { multiaddr: living.address }]
    const { failures } = await raceDial(components(host), candidates, { staggerMs: 60_000 })
    expect(failures.map(({ error }) => error.message)).toEqual([expect.stringContaining('ECONNREFUSED')])
  })

  it('tells both keys of a pin mismatch, gives the host nothing but Noise, and goes on', async () => {
    await using host = await netHost()
    await using impostor = await netHost()
    await using right = await netHost()
    let identified = 0
    impostor.libp2p.addEventListener('peer:identify', () => identified++)
    const candidates = [impostor, right].map(({ address }) => ({ multiaddr: address, peerIds: [right.peerId] }))
    const { connection, failures } = await raceDial(components(host), candidates, { staggerMs: 60_000 })
    expect(connection.remotePeer.toString()).toBe(right.peerId)
    const [failure] = failures
    expect(failure?.error).toBeInstanceOf(PinMismatchError)
    expect(failure?.error).toMatchObject({ expected: [right.peerId], actual: impostor.peerId })
    expect(failure?.error.message).toContain(impostor.peerId)
    expect(host.libp2p.getConnections(impostor.libp2p.peerId)).toEqual([])
    expect(identified).toBe(0)
  })

  it('accepts any of several pins, and any key without a pin', async () => {
    await using host = await netHost()
    await using a = await netHost()
    await using b = await netHost()
    const pins = [a.peerId, b.peerId]
    const pinned = await raceDial(components(host), [{ multiaddr: b.address, peerIds: pins }])
    expect(pinned.connection.remotePeer.toString()).toBe(b.peerId)
    const free = await raceDial(components(host), [{ multiaddr: a.address }])
    expect(free.connection.remotePeer.toString()).toBe(a.peerId)
  })

  it('takes the PeerId at the end of a multiaddr as pin, and never lets an unpinned duplicate weaken it', async () => {
    await using host = await netHost()
    await using impostor = await netHost()
    const wanted = host.peerId
    const race = raceDial(components(host), [
      { multiaddr: `${impostor.address}/p2p/${wanted}` },
      { multiaddr: impostor.address }
    ])
    const [failure] = await failuresOf(race)
    expect(failure?.error).toMatchObject({
      actual: impostor.peerId,
      expected: [wanted]
    })
  })

  it('closes the losers', async () => {
    await using host = await netHost()
    const others = [await netHost(), await netHost(), await netHost()]
    const candidates = others.map(({ address }) => ({ multiaddr: address }))
    const { connection } = await raceDial(components(host), candidates, { staggerMs: 0 })
    await expect.poll(() => host.libp2p.getConnections().length).toBe(1)
    expect(host.libp2p.getConnections().map(({ id }) => id)).toEqual([connection.id])
    for (const other of others) await other.libp2p.stop()
  })

  it('makes a new connection although an old one to that address is open: the old one may be dead', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const old = await host.libp2p.dial(multiaddr(other.address))
    const { connection } = await raceDial(components(host), [{ multiaddr: other.address, peerIds: [other.peerId] }])
    expect(connection.id).not.toBe(old.id)
    expect(old.status).toBe('open')
  })

  it('serves two races for one address with different pins', async () => {
    await using host = await netHost()
    await using other = await netHost()
    const [wrong, right] = await Promise.allSettled([
      raceDial(components(host), [{ multiaddr: other.address, peerIds: [host.peerId] }]),
      raceDial(components(host), [{ multiaddr: other.address, peerIds: [other.peerId] }])
    ])
    expect(wrong?.status).toBe('rejected')
    expect(right?.status).toBe('fulfilled')
    await expect.poll(() => host.libp2p.getConnections().length).toBe(1)
    expect(right).toMatchObject({ value: { connection: { status: 'open' } } })
  })

  it('goes on when an arrived connection cannot prove what the caller wants to see', async () => {
    await using host = await netHost()
    await using a = await netHost()
    await using b = await netHost()
    const candidates = [a, b].map(({ address }) => ({ multiaddr: address }))
    const verify = async (connection: { remotePeer: { toString(): string } }): Promise<void> => {
      if (connection.remotePeer.toString() === a.peerId) throw new Error('another network')
    }
    const { connection, failures } = await raceDial(components(host), candidates, { verify, staggerMs: 60_000 })
    expect(connection.remotePeer.toString()).toBe(b.peerId)
    expect(failures.map(({ error }) => error.message)).toEqual(['another network'])
    await expect.poll(() => host.libp2p.getConnections(a.libp2p.peerId)).toEqual([])
  })

  it('lists why each candidate failed', async () => {
    await using host = await netHost()
    const refused = await dead()
    const silent = await freeze()
    const race = raceDial(
      components(host),
      [{ multiaddr: '/ip4/127.0.0.1/tcp/8000' }, { multiaddr: refused }, { multiaddr: silent }],
      { dialTimeoutMs: 200 }
    )
    const [ipv4, second, third] = await failuresOf(race)
    expect(ipv4?.error).toBeInstanceOf(AddressError)
    expect(second?.error.message).toContain('ECONNREFUSED')
    expect(third?.error.message).toContain('no answer in time')
    await expect(race).rejects.toThrow(silent)
  })

  it('ends with the reason of the signal', async () => {
    await using host = await netHost()
    const controller = new AbortController()
    const race = raceDial(components(host), [{ multiaddr: await freeze() }], { signal: controller.signal })
    controller.abort(new Error('the node stops'))
    await expect(race).rejects.toThrow('the node stops')
    await expect(raceDial(components(host), [])).rejects.toThrow('there is no address to dial')
  })
})
