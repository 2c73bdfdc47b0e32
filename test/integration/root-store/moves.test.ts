import { copyFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { Config } from '../../../src/node/config/schema.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { KitNetwork } from '../../helpers/registry/kit-network.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'

const variable = 'TRUSTNET_ROOT_STORE_PASSWORD'

describe.runIf(hasPostgres)('a log that moves from one database to another', () => {
  let old: PostgresServer
  let next: PostgresServer

  beforeAll(async () => {
    ;[old, next] = await Promise.all([PostgresServer.start(), PostgresServer.start()])
    process.env[variable] = PostgresServer.password
  })

  afterAll(async () => {
    Reflect.deleteProperty(process.env, variable)
    await Promise.all([old[Symbol.asyncDispose](), next[Symbol.asyncDispose]()])
  })

  const lockOf = async (server: PostgresServer): Promise<unknown> =>
    (await server.sql('SELECT n::int AS n, holder FROM trustnet_root'))[0]

  const isInPlace = (node: TrustNode): boolean => {
    const registry = node.network?.registry
    return registry?.root !== undefined && registry.root.refusal === undefined
  }

  const faultOf = async (node: TrustNode): Promise<string> =>
    (await node.control.registryStatus()).rootStore?.fault ?? ''

  const emptied = async (): Promise<void> => {
    for (const each of [old, next]) {
      await each.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    }
  }

  /** A root whose log is in the old database, and a candidate; both are stopped, the candidate first. */
  const stopped = async ({ withCandidate = false } = {}) => {
    await emptied()
    const network = await KitNetwork.create({ 'root.store': old.url })
    onTestFinished(async () => await network[Symbol.asyncDispose]())
    const root = network.node('root')
    await expect.poll(() => isInPlace(root)).toBe(true)
    const ports = { root: root.attached.port, other: 0 }
    if (withCandidate) {
      const other = await network.join('other', { role: 'secondary' })
      copyFileSync(dataFiles(root.config.paths.data).logKey, dataFiles(other.config.paths.data).logKey)
      await expect.poll(() => other.registry.replica.head.n).toBe(root.registry.replica.head.n)
      ports.other = other.attached.port
      await other.stop()
    }
    await root.stop()
    const start = async (name: 'root' | 'other', store: string): Promise<TrustNode> =>
      await network.start(name, {
        role: name === 'root' ? 'root' : 'secondary',
        'listen.port': ports[name],
        'root.store': store
      })
    const member = { role: 'integrated', 'root.store': undefined }
    return { network, start, join: async (name: string) => await network.join(name, member) }
  }

  it('leaves no candidate that still names the old one a place, and comes back with all of it', async () => {
    const { start, join } = await stopped({ withCandidate: true })
    const root = await start('root', next.url)
    await expect.poll(async () => await lockOf(old)).toMatchObject({ holder: `moved to ${next.url}`.slice(0, 128) })
    const other = await start('other', old.url)
    await expect.poll(async () => await faultOf(other)).toMatch(/the log has moved to .*name that as root\.store/)
    await expect.poll(() => isInPlace(root)).toBe(true)
    await join('m1')
    await expect.poll(() => other.registry.replica.head.n).toBe(root.registry.replica.head.n)
    await expect
      .poll(async () => await lockOf(next))
      .toMatchObject({ n: root.registry.replica.head.n, holder: root.peerId })
    await root.stop()
    expect(isInPlace(other)).toBe(false)
    // A control: with a lease that ends it takes the place, beside what the new database has.
    await old.sql("UPDATE trustnet_root SET until = now(), holder = 'none'")
    await expect.poll(() => isInPlace(other)).toBe(true)
  })

  it('moves while root and candidate run: the candidate goes after it, and takes its place there', async () => {
    await emptied()
    let named = old.url
    const reload = (): Config => network.config('root', { role: 'root', 'root.store': named }).config
    await using network = await KitNetwork.create({ 'root.store': old.url }, { reload })
    const root = network.node('root')
    await expect.poll(() => isInPlace(root)).toBe(true)
    const other = await network.join('other', { role: 'secondary' })
    copyFileSync(dataFiles(root.config.paths.data).logKey, dataFiles(other.config.paths.data).logKey)
    await expect.poll(() => other.registry.replica.head.n).toBe(root.registry.replica.head.n)
    await expect(root.control.moveRoot({ to: next.url })).rejects.toThrow(/has root\.store: .*: write .* there first/)
    named = next.url
    const moved = await root.control.moveRoot({ to: next.url })
    expect(moved).toMatchObject({ applied: true, isRoot: true, from: old.url, to: next.url })
    expect(await lockOf(next)).toMatchObject({ holder: root.peerId })
    await expect.poll(async () => await faultOf(other)).toMatch(/the log has moved to/)
    expect(await other.control.moveRoot({ to: next.url })).toMatchObject({ applied: true, isRoot: false })
    await network.join('m1', { role: 'integrated', 'root.store': undefined })
    await expect.poll(() => other.registry.replica.head.n).toBe(root.registry.replica.head.n)
    await root.stop()
    await expect.poll(() => isInPlace(other)).toBe(true)
    await expect.poll(async () => await lockOf(next)).toMatchObject({ holder: other.peerId })
    expect(other.registry.replica.state.memberByName('m1')).toBeDefined()
    expect(await lockOf(old)).toMatchObject({ holder: `moved to ${next.url}`.slice(0, 128) })
  })

  it('leaves the old database also where the new one has some of the log already', async () => {
    const { start } = await stopped()
    const there = await start('root', next.url)
    await expect.poll(() => isInPlace(there)).toBe(true)
    await there.stop()
    // As in a copy that was made before the log moved back and forth.
    const back = await start('root', old.url)
    await expect.poll(() => isInPlace(back)).toBe(true)
    await back.stop()
    await next.sql("UPDATE trustnet_root SET holder = 'somebody', until = now()")
    const again = await start('root', next.url)
    await expect.poll(() => isInPlace(again)).toBe(true)
    expect(await lockOf(old)).toMatchObject({ holder: `moved to ${next.url}`.slice(0, 128) })
  })

  it('comes back with what was appended elsewhere, also into the store of the root', async () => {
    const { start, join } = await stopped()
    const there = await start('root', next.url)
    await expect.poll(() => isInPlace(there)).toBe(true)
    await join('m1')
    await there.stop()
    const back = await start('root', old.url)
    await expect.poll(() => isInPlace(back)).toBe(true)
    await join('m2')
    const { head } = back.registry.replica
    await expect.poll(async () => await lockOf(old)).toMatchObject({ n: head.n, holder: back.peerId })
    expect(await lockOf(next)).toMatchObject({ holder: `moved to ${old.url}`.slice(0, 128) })
    await back.stop()
    const own = await start('root', 'sqlite')
    await join('m3')
    expect(await lockOf(old)).toMatchObject({ holder: 'moved to sqlite' })
    expect(own.registry.replica.head.n).toBeGreaterThan(head.n)
  })

  it('stays where it is while the old database gives no answer, or another process is the root there', async () => {
    const { start, join } = await stopped()
    await old.down('fast')
    await expect(start('root', 'sqlite')).rejects.toThrow(/gives no answer/)
    const root = await start('root', next.url)
    await expect
      .poll(async () => await faultOf(root))
      .toMatch(/a candidate may go on with it, and that gives no answer/)
    expect(isInPlace(root)).toBe(false)
    await old.up()
    const hold = async (until: string): Promise<unknown> =>
      await old.sql(`UPDATE trustnet_root SET holder = 'somebody', until = ${until}`)
    await hold("now() + interval '1 hour'")
    await expect.poll(async () => await faultOf(root)).toMatch(/another process is the root there/)
    expect(await next.sql('SELECT n FROM trustnet_root')).toEqual([])
    await hold('now()')
    await expect.poll(() => isInPlace(root)).toBe(true)
    await join('m1')
    expect(await lockOf(old)).toMatchObject({ holder: `moved to ${next.url}`.slice(0, 128) })
  })

  it('is free of an old database that is lost for good as soon as the authority opens a new epoch', async () => {
    const { network, start, join } = await stopped()
    await old.down('fast')
    await expect(start('root', 'sqlite')).rejects.toThrow(/open a new epoch/)
    await becomeRoot(network.promotion('root'))
    const root = await start('root', 'sqlite')
    expect(root.registry.replica.head.epoch).toBe(1)
    await join('m1')
    await old.up()
  })

  it('goes on where a process ended between the two databases', async () => {
    const { start, join } = await stopped()
    await old.sql(`UPDATE trustnet_root SET term = term + 1, holder = 'moved to ${next.url}', until = '9999-12-31'`)
    const root = await start('root', next.url)
    await expect.poll(() => isInPlace(root)).toBe(true)
    await join('m1')
    await expect.poll(async () => await lockOf(next)).toMatchObject({ n: root.registry.replica.head.n })
  })
})
