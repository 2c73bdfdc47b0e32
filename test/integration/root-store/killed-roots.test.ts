import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peerIdText } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { type NodeProcess, spawnNode } from '../../helpers/hosts/node-process.ts'
import { TestNetwork } from '../../helpers/network.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'

const variable = 'TRUSTNET_ROOT_STORE_PASSWORD'
const member = { role: 'integrated', 'root.store': undefined }

describe.runIf(hasPostgres)('candidates in processes of their own', () => {
  let server: PostgresServer
  let network: TestNetwork
  let watcher: TrustNode
  const processes = new Map<string, NodeProcess>()

  beforeAll(async () => {
    server = await PostgresServer.start()
    process.env[variable] = PostgresServer.password
  })

  afterAll(async () => {
    Reflect.deleteProperty(process.env, variable)
    try {
      for (const each of processes.values()) await each.kill()
      await network[Symbol.asyncDispose]()
    } finally {
      await server[Symbol.asyncDispose]()
    }
  })

  const logKey = (name: string): string => dataFiles(join(network.folder, 'data', name)).logKey

  const spawn = async (name: string, flags = {}): Promise<NodeProcess> => {
    const spawned = await spawnNode(network, name, { role: 'secondary', ...flags })
    processes.set(name, spawned)
    return spawned
  }

  const candidate = async (name: string): Promise<void> => {
    await spawn(name, { 'bootstrap.inviteFile': await network.inviteFile({ role: 'secondary' }) })
    copyFileSync(logKey('root'), logKey(name))
  }

  const at = (name: string): NodeProcess => {
    const found = processes.get(name)
    if (found === undefined) throw new Error(`no process ${name}`)
    return found
  }

  /** Name of the root, as a member's log has it. */
  const rootName = (): string | undefined => {
    const { state } = watcher.registry.replica
    const root = state.rootRegistry()
    return root === undefined ? undefined : state.member(root.publicKey)?.name
  }

  const holder = async (): Promise<unknown> => (await server.sql('SELECT holder FROM trustnet_root'))[0]?.['holder']

  /** Whoever the log names as the root has the lease. */
  const rootHolds = async (): Promise<boolean> => {
    const root = rootName()
    return root !== undefined && at(root).peerId === (await holder())
  }

  /** Somebody joins, which only the root of the moment can let in. Gives the name. */
  let joins = 0
  const admit = async (through: string): Promise<string> => {
    const name = `m${joins++}`
    const peers = [`/ip6/::1/tcp/${at(through).port}/p2p/${at(through).peerId}`]
    const node = network.make(name, { ...member, 'bootstrap.peers': peers })
    await node.start()
    await node.joined()
    await node.stop()
    return name
  }

  it('take over from a root that stops, is killed or is frozen, and keep what it had let in', async () => {
    await server.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    network = await TestNetwork.create({ 'root.store': server.url })
    const root = network.node('root')
    await root.until(() => root.network?.registry.root !== undefined)
    watcher = await network.join('watcher', member)
    await candidate('a')
    await candidate('b')
    await root.stop()
    await expect.poll(rootName).toMatch(/^[ab]$/)
    const first = rootName() ?? ''
    const second = first === 'a' ? 'b' : 'a'
    const names = [await admit(first)]

    await at(first).kill()
    await expect.poll(rootName).toBe(second)
    names.push(await admit(second))
    await spawn(first)

    at(second).freeze()
    await expect.poll(rootName).toBe(first)
    names.push(await admit(first))
    at(second).child.kill('SIGCONT')
    await expect.poll(() => at(second).log()).toContain('another process holds the lease of the log')
    names.push(await admit(second))
    expect(rootName()).toBe(first)

    await expect
      .poll(() => names.filter((name) => watcher.registry.replica.state.memberByName(name) === undefined))
      .toEqual([])
    expect(watcher.registry.replica.isForked).toBe(false)
    await expect.poll(rootHolds).toBe(true)
  })

  it('go on when the database comes back, and one of them when both start at once', async () => {
    const first = rootName() ?? ''
    const second = first === 'a' ? 'b' : 'a'
    await server.down('immediate')
    await server.up()
    const name = await admit(first)
    await Promise.all([at(first).kill(), at(second).kill()])
    await Promise.all([spawn('a'), spawn('b')])
    await expect.poll(rootHolds).toBe(true)
    const last = await admit(rootName() ?? '')
    await expect
      .poll(() => [name, last].filter((each) => watcher.registry.replica.state.memberByName(each) === undefined))
      .toEqual([])
    const roots = (): string[] => {
      const registries = watcher.registry.replica.state.registries().filter(({ role }) => role === 'root')
      return registries.map(({ publicKey }) => peerIdText(publicKey))
    }
    await expect.poll(async () => roots().join() === (await holder())).toBe(true)
  })
})
