import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { putLive } from '../../../src/node/actions/live-config.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { readAll } from '../../helpers/hosts/forward-members.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
const servers: Server[] = []

beforeAll(async () => {
  // On a busy machine those that wait for their turn wait long.
  network = await TestNetwork.create({ 'protocols.forward.open': `${ceilingMs}ms` })
})
afterAll(async () => {
  for (const server of servers.splice(0)) server.close()
  await network[Symbol.asyncDispose]()
})

/** A service on this machine that greets, and sends back what it is sent. Gives its address. */
const startService = async (greeting: string, path?: string): Promise<string> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.write(greeting)
    socket.pipe(socket)
  })
  servers.push(server)
  if (path === undefined) server.listen(0, '::1')
  else server.listen(path)
  await once(server, 'listening')
  return path === undefined ? `[::1]:${(server.address() as AddressInfo).port}` : `unix:${path}`
}

const dial = (address: string): Socket => {
  const [, port] = /:(\d+)$/.exec(address) ?? []
  const socket = connect({ host: '::1', port: Number(port), allowHalfOpen: true })
  socket.on('error', () => {})
  return socket
}

const joined = async (name: string) =>
  network.nodes.some(({ config }) => config.name === name) ? network.node(name) : await network.join(name)

/** The same two in each test; the last one revokes one of them. */
const both = async () => {
  const [root, a, b] = [network.node('root'), await joined('a'), await joined('b')]
  const { state } = b.registry.replica
  await eventually(
    () => state.memberByName('a') !== undefined && a.registry.replica.state.memberByName('b') !== undefined
  )
  return { root, a, b }
}

describe('services of members', () => {
  test('are called by name over TCP and unix sockets, end each way by itself, and are seen at both ends', async () => {
    const { a, b } = await both()
    b.forwards.expose('echo', await startService('tcp '))
    b.forwards.expose('local', await startService('unix ', join(network.folder, 'app.sock')))
    await using listener = await a.forwards.listen({ peer: 'b', service: 'echo' })
    const socket = dial(listener.address)
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    expect(greeting.toString()).toBe('tcp ')
    expect(a.forwards.live.list()).toMatchObject([{ direction: 'out', service: 'echo', peer: b.peerId }])
    expect(b.forwards.live.list()).toMatchObject([{ direction: 'in', service: 'echo', peer: a.peerId }])
    const one = { service: 'echo', count: 1 }
    expect((await a.control.status({})).forwards).toMatchObject({
      listeners: 1,
      out: 1,
      most: [{ ...one, name: 'b', direction: 'out' }]
    })
    const metricsOf = async (node: TrustNode) => (await node.control.metrics()).lines
    expect(await metricsOf(a)).toContain('trustnet_forwards{direction="out"} 1')
    expect(await metricsOf(b)).toContain('trustnet_forwards{direction="in"} 1')
    expect((await b.control.status({})).forwards).toMatchObject({
      exposed: 2,
      in: 1,
      most: [{ ...one, name: 'a', direction: 'in' }]
    })
    socket.end('over a')
    expect((await readAll(socket)).toString()).toBe('over a')
    const bytes = await a.forwards.call({ peer: 'b', service: 'local' })
    bytes.end('over b')
    expect((await readAll(bytes)).toString()).toBe('unix over b')
    await eventually(() => [a, b].every(({ forwards }) => forwards.live.list().length === 0))
  })

  test('are refused in words: not exposed, not answering, unknown, offline, itself', async () => {
    const { a, b } = await both()
    b.forwards.expose('dead', '[::1]:1')
    const call = async (peer: string, service: string) => await a.forwards.call({ peer, service })
    await expect(call('b', 'other')).rejects.toThrow(/other is not exposed at b .*trustnet expose other/)
    await expect(call('b', 'dead')).rejects.toThrow(/dead is exposed at b, .*UNAVAILABLE/)
    await expect(call('nobody', 'echo')).rejects.toThrow('no member is called nobody')
    await expect(call('a', 'echo')).rejects.toThrow('this node itself')
    await expect(a.forwards.call({ service: 'nothing' })).rejects.toThrow('no other member that is online')
    expect(() => b.forwards.expose('a'.repeat(65), '[::1]:22')).toThrow('name of a service')
    expect(() => b.forwards.expose('<b>', '[::1]:22')).toThrow('name of a service')
    for (const to of ['[::1]:0', '[::1]:70000', '[2001:db8::1]:22', '127.0.0.1:22', 'unix:relative', '']) {
      expect(() => b.forwards.expose('ssh', to)).toThrow(/write/)
    }
    const { runtime } = b.config.paths
    expect(() => b.forwards.expose('ssh', `unix:${runtime}/../${basename(runtime)}/b.sock`)).toThrow('control socket')
    expect(b.forwards.exposed.map(({ name }) => name)).not.toContain('ssh')
  })

  test('of a member that is revoked, offline or fails its check are refused in words', async () => {
    const { root, a } = await both()
    const [ill, gone] = [await network.join('ill'), await network.join('gone')]
    using _ = ill.announce({ name: 'sick', port: 1, check: 'tcp', everyMs: 1_000 })
    ill.forwards.expose('sick', '[::1]:1')
    const { publicKey } = ill.key
    await eventually(
      () => a.registry.records.read(publicKey)?.services.some(({ state }) => state === 'failing') === true
    )
    await expect(a.forwards.call({ service: 'sick' })).rejects.toThrow(/no other member .* a service sick that is well/)
    await gone.stop()
    const call = () => a.forwards.call({ peer: 'gone', service: 'echo' })
    await eventually(async () => /gone cannot be reached at/.test(await call().then(String, String)))
    await root.control.revoke({ peer: 'gone', reason: 'stolen' })
    await eventually(async () => /gone is no member any more: .* was revoked/.test(await call().then(String, String)))
  })

  test('are listened for at an address that nobody has, until a signal ends it', async () => {
    const { a, b } = await both()
    b.forwards.expose('echo', await startService('hello'))
    const over = new AbortController()
    const listener = await a.forwards.listen({ peer: 'b', service: 'echo' }, { signal: over.signal })
    await expect(a.forwards.listen({ peer: 'b', service: 'echo' }, { at: listener.address })).rejects.toThrow(
      'the address is taken'
    )
    expect(a.forwards.listeners.length).toBe(1)
    over.abort()
    await listener.closed
    await eventually(() => a.forwards.listeners.length === 0)
  })

  test('are exposed by the configuration, too, as long as it says so', async () => {
    const { a } = await both()
    const port = Number(/\d+$/.exec(await startService('configured'))?.[0])
    const e = await network.join('e', { services: [{ name: 'page', port, expose: true }] })
    await eventually(() => a.registry.replica.state.memberByName('e') !== undefined)
    const bytes = await a.forwards.call({ peer: 'e', service: 'page' })
    const [greeting] = (await once(
      bytes.on('error', () => {}),
      'data'
    )) as [Buffer]
    expect(greeting.toString()).toBe('configured')
    expect(() => e.forwards.expose('page', '[::1]:1')).toThrow('by the configuration')
    expect(() => e.forwards.unexpose('page')).toThrow('by the configuration')
    const [live] = e.forwards.live.list()
    putLive(e.config, network.config('e').config)
    e.forwards.recheck()
    expect(await live?.done).toBeInstanceOf(Error)
    await expect(a.forwards.call({ peer: 'e', service: 'page' })).rejects.toThrow('not exposed')
  })

  test('of a unix socket are exposed by the configuration without a port, unless it is a control socket', async () => {
    const { a } = await both()
    const path = join(network.folder, 'configured.sock')
    await startService('by a path', path)
    const { runtime } = network.config('f').config.paths
    const control = join(runtime, 'of-another.sock')
    mkdirSync(runtime, { recursive: true })
    await startService('what an operator may do', control)
    const services = [
      { name: 'app', expose: `unix:${path}` },
      { name: 'control', expose: `unix:${control}` }
    ]
    const f = await network.join('f', { services })
    expect(f.forwards.exposed).toEqual([
      { name: 'app', to: `unix:${path}` },
      { name: 'control', to: `unix:${control}` }
    ])
    await eventually(() => a.registry.lookup({ service: 'app' }).rows.length === 1)
    const bytes = await a.forwards.call({ peer: 'f', service: 'app' })
    const [greeting] = (await once(
      bytes.on('error', () => {}),
      'data'
    )) as [Buffer]
    expect(greeting.toString()).toBe('by a path')
    const [live] = a.forwards.live.list()
    bytes.destroy()
    expect(await live?.done).toBeInstanceOf(Error)
    await expect(a.forwards.call({ peer: 'f', service: 'control' })).rejects.toThrow('UNAVAILABLE')
  })

  test('stay exposed over a restart, until they are taken back, which ends their forwards', async () => {
    const { a, b } = await both()
    b.forwards.expose('echo', await startService('hello'))
    await b.stop()
    const again = await network.join('b')
    await eventually(async () => {
      try {
        const bytes = await a.forwards.call({ peer: 'b', service: 'echo' })
        bytes.on('error', () => {}).resume()
        return true
      } catch {
        return false
      }
    })
    const [live] = a.forwards.live.list()
    expect(again.forwards.unexpose('echo')).toMatchObject({ name: 'echo' })
    expect(await live?.done).toBeInstanceOf(Error)
    await expect(a.forwards.call({ peer: 'b', service: 'echo' })).rejects.toThrow('not exposed')
  })
})

test('a program that opens more than the other side takes waits, and the other side names nobody', async () => {
  const { a, b } = await both()
  const { rate, opening } = a.config.protocols.forward
  b.forwards.expose('paced', await startService('hello'))
  let most = 0
  const call = async (): Promise<string> => {
    const bytes = await a.forwards.call({ peer: 'b', service: 'paced' })
    most = Math.max(most, a.forwards.live.list().filter(({ isOpen }) => !isOpen).length)
    bytes.end()
    return (await readAll(bytes)).toString()
  }
  const began = performance.now()
  const [workers, callsOfEach] = [rate.count / 4, 4]
  const greetings = await Promise.all(
    Array.from({ length: workers }, async () => {
      const got: string[] = []
      for (let i = 0; i < callsOfEach; i++) got.push(await call())
      return got
    })
  )
  expect(greetings.flat()).toEqual(Array.from({ length: rate.count }, () => 'hello'))
  // Half of them at once, and the others as the allowance comes back.
  expect(performance.now() - began).toBeGreaterThan(rate.perMs * 0.9)
  expect(most).toBeLessThanOrEqual(opening)
  const { counts } = b.attached.trust.culprits
  expect(counts.filter(({ limit }) => limit.startsWith('forward'))).toEqual([])
})

test('any member that has a service is taken, and another one when it dies', async () => {
  const { a } = await both()
  const greetings = ['c', 'd']
  for (const name of greetings) {
    const address = await startService(name)
    const node = await network.join(name)
    node.forwards.expose('web', address)
  }
  await eventually(() => a.registry.lookup({ service: 'web' }).rows.length === 2)
  await using listener = await a.forwards.listen({ service: 'web' })
  const greeting = async (): Promise<string> => {
    const socket = dial(listener.address)
    socket.end()
    return (await readAll(socket).catch(() => Buffer.of())).toString()
  }
  const first = await greeting()
  expect(greetings).toContain(first)
  await network.node(first).stop()
  const second = greetings.find((name) => name !== first)
  await eventually(async () => (await greeting()) === second)
})

test('a member whose service has gone, and whose record does not say so yet, keeps no connection from the next one', async () => {
  const { a } = await both()
  const left = new Map<string, Server>()
  for (const name of ['e', 'f', 'g']) {
    const node = await joined(name)
    node.forwards.expose('api', await startService(name))
    left.set(name, servers.at(-1) as Server)
  }
  await eventually(() => a.registry.lookup({ service: 'api' }).rows.length === 3)
  const call = async (peer?: string): Promise<string> => {
    const bytes = await a.forwards.call({ peer, service: 'api' })
    bytes.end()
    return (await readAll(bytes)).toString()
  }
  while (left.size > 1) {
    // The one that is asked first.
    const nearest = await call()
    left.get(nearest)?.close()
    left.delete(nearest)
    await expect(call(nearest)).rejects.toThrow(`api is exposed at ${nearest}, and nothing answers`)
    for (let calls = 0; calls < 8; calls++) expect([...left.keys()]).toContain(await call())
  }
  expect(a.registry.lookup({ service: 'api' }).rows.length).toBe(3)
})

describe('the policy of the network', () => {
  test('says who may call what: a change ends what it forbids, and the refusal names its entry', async () => {
    const { root, a, b } = await both()
    b.forwards.expose('echo', await startService('hello'))
    const open = await a.forwards.call({ peer: 'b', service: 'echo' })
    open.on('error', () => {}).resume()
    const [live] = a.forwards.live.list()
    const { entry } = await root.control.setPolicy({
      rules: [{ from: 'admins', to: '*', service: 'echo' }],
      force: true
    })
    expect(await live?.done).toBeInstanceOf(Error)
    await expect(a.forwards.call({ peer: 'b', service: 'echo' })).rejects.toThrow(`log entry ${entry}`)
    await expect(a.forwards.call({ peer: 'b', service: 'unknown' })).rejects.toThrow(/no rule of .* call unknown at b/)
    await root.control.changeMember({ peer: 'a', groups: ['admins'] })
    await eventually(() => b.registry.replica.state.memberByName('a')?.groups.length === 1)
    const allowed = await a.forwards.call({ peer: 'b', service: 'echo' })
    allowed.end()
    expect((await readAll(allowed)).toString()).toBe('hello')
  })

  test('a member that is revoked loses its forwards at once', async () => {
    const { root, a, b } = await both()
    b.forwards.expose('echo', await startService('hello'))
    const open = await a.forwards.call({ peer: 'b', service: 'echo' })
    open.on('error', () => {}).resume()
    const [served] = b.forwards.live.list()
    await root.control.revoke({ peer: 'a', reason: 'stolen' })
    expect(await served?.done).toBeInstanceOf(Error)
    await expect(
      a.forwards.call({ peer: 'b', service: 'echo' }, { signal: AbortSignal.timeout(ceilingMs) })
    ).rejects.toThrow(Error)
  })
})
