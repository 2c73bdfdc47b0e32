import { once } from 'node:events'
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TrustNode } from '../../../src/node/node.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { allSee, seenBy } from '../../helpers/network-views.ts'

const alarmsOf = (node: TrustNode): string[] => node.registry.alarms.list().map(({ code }) => code)

/** Holds a port as another program would. */
async function portTaker(port = 0): Promise<{ port: number; server: Server } & AsyncDisposable> {
  const server = createServer()
  server.listen({ host: '::', port, ipv6Only: true })
  await once(server, 'listening')
  const bound = server.address()
  return {
    server,
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    [Symbol.asyncDispose]: async () => {
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    }
  }
}

describe('a cloned machine', () => {
  it('is refused while the first one is online; both raise the alarm, and the first one stays', async () => {
    await using network = await TestNetwork.create()
    const first = await network.join('a')
    await network.join('b')
    await seenBy(network.nodes, 'a', 'online')
    const data = join(network.folder, 'clone')
    mkdirSync(data, { mode: 0o700 })
    copyFileSync(first.config.paths.key, join(data, 'node.key'))
    const clone = await network.start('a', { 'paths.data': data, 'bootstrap.peers': [network.address('root')] })
    await eventually(() => clone.network?.trouble?.name === 'DuplicateInstanceError')
    await eventually(() => alarmsOf(first).includes('duplicate_key') && alarmsOf(clone).includes('duplicate_key'))
    expect(clone.network?.session).toBeUndefined()
    expect(first.network?.session).toBeDefined()
    expect(allSee([network.node('root'), network.node('b')], 'a', 'online')).toBe(true)

    // The first one goes: the other takes over by itself, as a machine would that was moved.
    await first.stop()
    clone.retry()
    await clone.joined({ signal: AbortSignal.timeout(ceilingMs) })
  })

  it('with a copy of the store changes nothing of the record of the first one', async () => {
    await using network = await TestNetwork.create()
    const { first, clone } = await cloned(network)
    await eventually(() => clone.network?.trouble?.name === 'DuplicateInstanceError')
    // Something happens in the network, and everybody looks at what it means.
    await network.join('c')
    await eventually(() => clone.registry.replica.state.memberByName('c') !== undefined)
    const { addrs } = first.attached.selfRecord.current?.value ?? {}
    for (const node of [network.node('root'), network.node('c')]) {
      await eventually(() => node.registry.records.read(first.key.publicKey)?.addrs.join() === addrs?.join())
    }
    expect(alarmsOf(clone)).toContain('duplicate_key')
  })

  it('that finds another registry raises the alarm at both by the record that it signs', async () => {
    await using network = await TestNetwork.create({ 'replication.interval': '1s' })
    await network.join('second', { role: 'secondary' })
    const { first, clone } = await cloned(network)
    await eventually(() => alarmsOf(first).includes('duplicate_key') && alarmsOf(clone).includes('duplicate_key'))
  })
})

/** Two nodes from one data folder, which the second one has as a copy. */
async function cloned(network: TestNetwork): Promise<{ first: TrustNode; clone: TrustNode }> {
  const before = await network.join('a')
  await before.stop()
  const data = join(network.folder, 'clone')
  cpSync(before.config.paths.data, data, { recursive: true })
  const first = await network.start('a')
  await first.joined({ signal: AbortSignal.timeout(ceilingMs) })
  await seenBy([network.node('root')], 'a', 'online')
  return { first, clone: await network.start('a', { 'paths.data': data }) }
}

describe('a second start on the same data folder', () => {
  it('is refused with who holds it, and the first one goes on', async () => {
    await using network = await TestNetwork.create()
    const a = await network.join('a')
    const second = network.make('a')
    await expect(second.start()).rejects.toMatchObject({ name: 'StoreInUseError' })
    expect(a.network?.session).toBeDefined()
    await a.stop()
    const again = await network.start('a')
    await again.joined({ signal: AbortSignal.timeout(ceilingMs) })
  })
})

describe('a port that is taken', () => {
  it('makes a node take the next free one, say so, register it, and write it down', async () => {
    await using network = await TestNetwork.create()
    await using taker = await portTaker()
    const file = join(network.folder, 'a.yaml')
    writeFileSync(file, `# mine\nname: a\nlisten:\n  port: ${taker.port}\n`)
    const { config } = network.config('a', { 'listen.port': taker.port, 'bootstrap.peers': [network.address('root')] })
    const node = new TrustNode({ config, configFile: file, logging: network.logging('a'), control: false })
    network.nodes.push(node)
    await node.start()
    await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
    const { port } = node.attached
    expect(port).toBeGreaterThan(taker.port)
    expect(readFileSync(file, 'utf8')).toContain(`port: ${port}`)
    expect(readFileSync(file, 'utf8')).toContain('# mine')
    expect(network.logs.join('')).toContain(`port ${taker.port} is taken by`)
    const root = network.node('root')
    await eventually(() => root.registry.records.read(node.key.publicKey)?.addrs[0] === `/ip6/::1/tcp/${port}`)
  })

  it('makes a root wait for it, and take it when it is free', async () => {
    await using network = await TestNetwork.create()
    const { port } = network.node('root').attached
    await network.node('root').stop()
    await using taker = await portTaker(port)
    const starting = network.start('root', { role: 'root', 'listen.port': port })
    await eventually(() => network.logs.join('').includes(`port ${port} is taken by`))
    await taker[Symbol.asyncDispose]()
    const root = await starting
    expect(root.attached.port).toBe(port)
  })

  it('makes a root give up after its wait and say who has it', async () => {
    await using network = await TestNetwork.create()
    const { port } = network.node('root').attached
    await network.node('root').stop()
    await using taker = await portTaker(port)
    const root = network.make('root', { role: 'root', 'listen.port': port }, { portWaitMs: 600 })
    await expect(root.start()).rejects.toThrow(new RegExp(`port ${taker.port} is taken by .*\\(pid ${process.pid}\\)`))
    await taker[Symbol.asyncDispose]()
    await network.start('root', { role: 'root', 'listen.port': port })
  })
})
