import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RootCandidates } from '../../helpers/hosts/root-candidates.ts'
import { hasPostgres } from '../../helpers/servers/postgres.ts'
import { postgresForNodes } from '../../helpers/servers/postgres-for-nodes.ts'

describe.runIf(hasPostgres)('candidates in processes of their own', () => {
  const database = postgresForNodes()
  let candidates: RootCandidates

  beforeAll(async () => {
    candidates = await RootCandidates.start(
      database.server.url,
      new Map([
        ['a', {}],
        ['b', {}]
      ])
    )
  })

  afterAll(async () => await candidates?.[Symbol.asyncDispose]())

  const other = (name: string): string => (name === 'a' ? 'b' : 'a')

  const root = async (): Promise<string> => {
    await expect.poll(() => candidates.rootName()).toMatch(/^[ab]$/)
    return candidates.rootName() ?? ''
  }

  const holder = async (): Promise<unknown> =>
    (await database.server.sql('SELECT holder FROM trustnet_root'))[0]?.['holder']

  /** Whoever the log names as the root has the lease, and all who were let in are there. */
  const isWhole = async (): Promise<void> => {
    await expect.poll(async () => candidates.roots().join() === (await holder())).toBe(true)
    await expect.poll(() => candidates.lost()).toEqual([])
    expect(candidates.watcher.registry.replica.isForked).toBe(false)
  }

  it('take over from a root that stops, is killed or is frozen, and keep what it had let in', async () => {
    const first = await root()
    const second = other(first)
    await candidates.admit(first)

    await candidates.at(first).kill()
    await expect.poll(() => candidates.rootName()).toBe(second)
    await candidates.admit(second)
    await candidates.spawn(first)

    candidates.at(second).freeze()
    await expect.poll(() => candidates.rootName()).toBe(first)
    await candidates.admit(first)
    candidates.at(second).thaw()
    await expect.poll(() => candidates.at(second).log()).toContain('another process holds the lease of the log')
    await candidates.admit(second)
    expect(candidates.rootName()).toBe(first)
    await isWhole()
  })

  it('go on when the database comes back, and one of them when both start at once', async () => {
    const first = await root()
    await database.server.down('immediate')
    await database.server.up()
    await candidates.admit(first)
    await Promise.all(['a', 'b'].map((name) => candidates.at(name).kill()))
    await Promise.all(['a', 'b'].map((name) => candidates.spawn(name)))
    await expect.poll(async () => candidates.at(await root()).peerId === (await holder())).toBe(true)
    await candidates.admit(await root())
    await isWhole()
  })
})
