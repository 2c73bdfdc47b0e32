import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RootCandidates } from '../../helpers/hosts/root-candidates.ts'
import type { Flags } from '../../helpers/network.ts'
import { Between } from '../../helpers/servers/between.ts'
import { hasPostgres } from '../../helpers/servers/postgres.ts'
import { postgresForNodes } from '../../helpers/servers/postgres-for-nodes.ts'

/** The lease ends after 3 s, and a question to the database is given up after 3 s. */
const frozenMs = 4_000

// A story: each test goes on where the one before it ended.
describe.runIf(hasPostgres)('candidates whose log is in PostgreSQL', { shuffle: false }, () => {
  const database = postgresForNodes()
  /** Way of candidate a to the database. */
  let way: Between
  let candidates: RootCandidates

  beforeAll(async () => {
    way = await Between.start(database.server.port)
    const own = { 'root.store': `postgres://owner@[::1]:${way.port}/postgres` }
    candidates = await RootCandidates.start(
      database.server.url,
      new Map<string, Flags>([
        ['a', own],
        ['b', {}]
      ])
    )
  })

  afterAll(async () => {
    await candidates?.[Symbol.asyncDispose]()
    await way?.[Symbol.asyncDispose]()
  })

  const holder = async (): Promise<unknown> =>
    (await database.server.sql('SELECT holder FROM trustnet_root'))[0]?.['holder']

  const headN = async (): Promise<number> =>
    Number((await database.server.sql('SELECT n FROM trustnet_root'))[0]?.['n'])

  const isWhole = async (): Promise<void> => await candidates.isWhole(holder)

  it('take over from a root that stops, is killed or is frozen, and keep what it had let in', async () => {
    const first = await candidates.root()
    const second = candidates.other(first)
    await candidates.admit(first)
    await candidates.at(first).kill()
    await expect.poll(() => candidates.rootName()).toBe(second)
    await candidates.admit(second)
    await candidates.spawn(first)

    candidates.at(second).freeze()
    await expect.poll(() => candidates.rootName()).toBe(first)
    await candidates.admit(first)
    candidates.at(second).thaw()
    await candidates.isSecondary(second)
    await candidates.admit(second)
    expect(candidates.rootName()).toBe(first)
    await isWhole()
  })

  it('take over from a root that is cut off from the database but not from members, and it appends nothing more', async () => {
    await candidates.makeRoot('a')
    await candidates.admit('a')
    way.way = 'cut'
    await expect.poll(() => candidates.rootName()).toBe('b')
    await candidates.admit('b')
    way.way = 'open'
    await candidates.isSecondary('a')
    await candidates.admit('a')
    expect(candidates.rootName()).toBe('b')
    await isWhole()
  })

  it.each(['silent', 'broken'] as const)(
    'keep an entry whose answer was lost on its way to the root (%s)',
    async (lost) => {
      await candidates.makeRoot('a')
      const before = await headN()
      const waiting = candidates.admit('a')
      way.way = lost
      await expect.poll(headN).toBeGreaterThan(before)
      way.way = 'open'
      await waiting
      await isWhole()
    }
  )

  it('go on with a database that takes a second for each commit', async () => {
    const name = await candidates.root()
    await database.server.sql(
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END'`
    )
    await database.server.sql(
      'CREATE TRIGGER slow AFTER UPDATE OF n ON trustnet_root FOR EACH STATEMENT EXECUTE FUNCTION slow()'
    )
    const before = await headN()
    await Promise.all([candidates.admit(name), candidates.admit(name), candidates.admit(name)])
    expect(candidates.rootName()).toBe(name)
    expect(await headN()).toBeGreaterThanOrEqual(before + 3)
    await database.server.sql('DROP FUNCTION slow CASCADE')
    await isWhole()
  })

  it('go on with one history when the database stands still for longer than a lease', async () => {
    const name = await candidates.root()
    await candidates.admit(name)
    await database.server.freeze()
    const waiting = candidates.admit(name)
    await pause(frozenMs)
    await database.server.thaw()
    await waiting
    await candidates.admit(await candidates.root())
    await isWhole()
  })

  it('go on when the database comes back, and one of them when both start at once', async () => {
    await database.server.down('immediate')
    await database.server.up()
    await candidates.admit(await candidates.root())
    await Promise.all(['a', 'b'].map(async (name) => await candidates.at(name).kill()))
    await Promise.all([candidates.spawn('a'), candidates.spawn('b')])
    await isWhole()
    await candidates.admit(await candidates.root())
    await isWhole()
  })
})
