import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { storeTarget } from '../../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../../src/node/root/store/postgres-root-log.ts'
import { refusalOf } from '../../helpers/log-network.ts'
import { type LogToKeep, logToKeep, rootLogSuite } from '../../helpers/registry/root-log-suite.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'

let server: PostgresServer

const logOf = ({ store }: LogToKeep, { leaseMs = 60_000, password = PostgresServer.password } = {}) => {
  const target = storeTarget(server.url)
  if ('problem' in target) throw new Error(target.problem)
  const log = new PostgresRootLog({ target, password, networkId: store.replica.networkId, leaseMs })
  onTestFinished(async () => await log[Symbol.asyncDispose]())
  return log
}

describe.runIf(hasPostgres)('PostgreSQL', () => {
  beforeAll(async () => {
    server = await PostgresServer.start()
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  rootLogSuite('PostgreSQL', async (kept) => {
    // Every network has the same genesis in the tests, and the tables outlive one test.
    await server.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    const expire = async (): Promise<void> => {
      await server.sql('UPDATE trustnet_root SET until = now()')
    }
    return { log: logOf(kept), other: logOf(kept), expire }
  })

  const begun = async () => {
    await server.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    const kept = await logToKeep()
    const log = logOf(kept, { leaseMs: 500 })
    const lease = await log.begin('a', kept.start)
    const [first, second] = kept.batches
    if (lease === undefined || first === undefined || second === undefined) throw new Error('it was begun')
    return { kept, log, lease, first, second }
  }

  it('gives a lease to another one when its time is over by the clock of the server', async () => {
    const { kept } = await begun()
    const other = logOf(kept)
    await expect.poll(async () => await other.acquire('b')).toMatchObject({ holder: 'b', term: 2 })
  })

  it('keeps what was appended when the server is cut off, and goes on when it is back', async () => {
    const { log, lease, first, second } = await begun()
    await log.append(lease, first)
    await server.down('immediate')
    expect(await refusalOf(log.append(lease, second))).toMatch(/^(UnavailableError|OutcomeUnknownError)$/)
    await server.up()
    await expect.poll(async () => (await log.state())?.head).toEqual(first.head)
    await log.append(lease, second)
    expect((await log.state())?.head).toEqual(second.head)
  })

  it('takes nothing of an append whose row is locked for longer than a commit takes, and says so', async () => {
    const { log, lease, first } = await begun()
    const holding = refusalOf(server.sql('BEGIN; SELECT n FROM trustnet_root FOR UPDATE; SELECT pg_sleep(600)'))
    const holder = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    await expect.poll(async () => await server.sql(`SELECT pid ${holder}`)).toHaveLength(1)
    await expect(log.append(lease, first)).rejects.toThrow(/lock timeout/)
    await server.sql(`SELECT pg_terminate_backend(pid) ${holder}`)
    expect(await holding).not.toBe('taken')
    await log.append(lease, first)
  })

  it('is not entered without the password, which no message tells', async () => {
    const { kept } = await begun()
    const refusal = await logOf(kept, { password: 'guessed-wrongly' }).state().then(String, String)
    expect(refusal).toMatch(/password authentication failed/)
    expect(refusal).not.toContain('guessed-wrongly')
  })
})
