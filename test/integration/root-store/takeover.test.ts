import { copyFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { type Flags, TestNetwork } from '../../helpers/network.ts'
import { hasPostgres } from '../../helpers/servers/postgres.ts'
import { postgresForNodes } from '../../helpers/servers/postgres-for-nodes.ts'

const member = { role: 'integrated', 'root.store': undefined }

describe.runIf(hasPostgres)('a network whose log is in PostgreSQL', () => {
  const database = postgresForNodes()
  let network: TestNetwork

  const begin = async (): Promise<TestNetwork> => {
    await database.server.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    network = await TestNetwork.create({ 'root.store': database.server.url })
    onTestFinished(async () => await network[Symbol.asyncDispose]())
    return network
  }

  /** A secondary with the log key, which waits for the lease. */
  const candidate = async (name: string, flags: Flags = {}): Promise<TrustNode> => {
    const node = await network.join(name, { role: 'secondary', ...flags })
    const keyOf = ({ config }: TrustNode): string => dataFiles(config.paths.data).logKey
    copyFileSync(keyOf(network.node('root')), keyOf(node))
    return node
  }

  const isRoot = ({ config, network: attached }: TrustNode): boolean =>
    config.role === 'root' && attached?.registry.root?.refusal === undefined && attached?.registry.root !== undefined

  const isInPlace = (node: TrustNode): boolean => {
    const state = node.network?.registry.replica.state
    return isRoot(node) && state?.registry(node.key.publicKey)?.role === 'root'
  }

  it('goes on with a candidate when its root stops, and the root comes back as a secondary', async () => {
    await begin()
    const root = network.node('root')
    await expect.poll(() => isInPlace(root)).toBe(true)
    const other = await candidate('other')
    const m1 = await network.join('m1', member)
    await expect.poll(() => other.registry.replica.head.n).toBe(root.registry.replica.head.n)
    await expect
      .poll(async () => (await root.control.registryStatus()).rootStore?.candidates)
      .toEqual([{ peerId: other.peerId, name: 'other' }])
    await expect
      .poll(async () => (await other.control.registryStatus()).rootStore)
      .toMatchObject({ held: false, holder: { name: 'root' }, weaknesses: ['synchronous_standby_names'] })
    await root.stop()
    await expect.poll(() => isInPlace(other)).toBe(true)
    await network.join('m2', { ...member, 'bootstrap.peers': [network.address('other')] })
    await m1.until(() => m1.registry.replica.state.memberByName('m2') !== undefined)
    const back = await network.start('root', { role: 'root' })
    await expect.poll(() => back.network?.session?.peer.role).toBe('root')
    expect(back.config.role).toBe('secondary')
    await expect.poll(() => back.registry.replica.head.n).toBe(other.registry.replica.head.n)
    expect(back.registry.replica.state.rootRegistry()?.publicKey).toEqual(other.key.publicKey)
    await back.stop()
    await expect(network.start('root', { role: 'root', 'root.store': 'sqlite' })).rejects.toThrow(
      /takes the log back at the root of today, which is other/
    )
  })

  it('is not begun without the database, until its root is told to take the log back', async () => {
    await begin()
    const root = network.node('root')
    await expect.poll(() => isInPlace(root)).toBe(true)
    const { port } = root.attached
    const start = async (store: string | undefined): Promise<TrustNode> =>
      await network.start('root', { role: 'root', 'listen.port': port, 'root.store': store })
    await root.stop()
    await expect(start(undefined)).rejects.toThrow(/kept by postgres.*name that as root\.store/)
    const own = await start('sqlite')
    await network.join('m1', member)
    const stored = async (): Promise<unknown> =>
      (await database.server.sql('SELECT n::int AS n FROM trustnet_root'))[0]?.['n']
    expect(await stored()).toBeLessThan(own.registry.replica.head.n)
    await own.stop()
    const without = await start(undefined)
    expect(without.registry.root).toBeDefined()
    await without.stop()
    const again = await start(database.server.url)
    await expect.poll(() => isInPlace(again)).toBe(true)
    await network.join('m2', member)
    await expect.poll(async () => (await stored()) === again.registry.replica.head.n).toBe(true)
  })

  it('makes final what a candidate enters, as soon as the witnesses that are left have signed it', async () => {
    await begin()
    const root = network.node('root')
    await expect.poll(() => isInPlace(root)).toBe(true)
    const other = await candidate('other')
    for (const name of ['w1', 'w2']) await network.join(name, { role: 'secondary', 'root.store': undefined })
    const watcher = await network.join('watcher', member)
    const isFinal = ({ registry: { finality, replica } }: TrustNode): boolean => finality.place.n === replica.head.n
    // A policy that asks for more witnesses than the registry set has holds back all that comes after.
    await expect.poll(() => root.registry.replica.state.registries().length).toBe(4)
    await root.control.setPolicy({ witnesses: 2 })
    await expect.poll(() => isFinal(watcher) && watcher.registry.finality.needed).toBe(2)
    await root.stop()
    await expect.poll(() => isInPlace(other)).toBe(true)
    await network.join('late', { ...member, 'bootstrap.peers': [network.address('other')] })
    await watcher.until(() => watcher.registry.replica.state.memberByName('late') !== undefined)
    await expect.poll(() => isFinal(watcher)).toBe(true)
    expect(watcher.registry.replica.state.rootRegistry()?.publicKey).toEqual(other.key.publicKey)
    // The former root is a witness again, once its new place is final.
    const back = await network.start('root', { role: 'root' })
    await expect.poll(() => watcher.registry.cosignatures.by(back.key.publicKey) !== undefined).toBe(true)
  })
})
