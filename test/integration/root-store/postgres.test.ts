import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { storeTarget } from '../../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../../src/node/root/store/postgres-root-log.ts'
import { Root, sealDelegation } from '../../../src/registry/log/log-writer.ts'
import { EngineCommit } from '../../../src/registry/log/root-log/engine-commit.ts'
import type { RootLease } from '../../../src/registry/log/root-log/root-log.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { envelopesAfter, keyNumber, refusalOf } from '../../helpers/log-network.ts'
import { movedLogSuite } from '../../helpers/registry/moved-log-suite.ts'
import { type LogToKeep, logToKeep, rootLogSuite } from '../../helpers/registry/root-log-suite.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'

let server: PostgresServer

const logOf = (
  { store }: LogToKeep,
  { leaseMs = 60_000, password = PostgresServer.password, url = server.url } = {}
) => {
  const target = storeTarget(url)
  if ('problem' in target) throw new Error(target.problem)
  const log = new PostgresRootLog({
    target,
    password,
    networkId: store.replica.networkId,
    leaseMs,
    connectMs: ceilingMs
  })
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

  const open = async (kept: LogToKeep) => {
    // Every network has the same genesis in the tests, and the tables outlive one test.
    await server.sql('DROP TABLE IF EXISTS trustnet_root, trustnet_entry, trustnet_candidate')
    const expire = async (): Promise<void> => {
      await server.sql('UPDATE trustnet_root SET until = now()')
    }
    return { log: logOf(kept), other: logOf(kept), expire }
  }

  rootLogSuite('PostgreSQL', open)
  movedLogSuite('PostgreSQL', open)

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
    const { clockMs = 0 } = (await other.state()) ?? {}
    expect(Math.abs(Date.now() - clockMs)).toBeLessThan(ceilingMs)
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

  /** The authority gives the log another key, in the store of the root, which goes on with it over the database. */
  const newEpoch = async ({ network, store: { replica } }: LogToKeep) => {
    const logKey = keyNumber(1005)
    await replica.apply([sealDelegation(replica, network.authority, logKey.publicKey).bytes])
    await network.rootOf(replica, logKey).checkpoint()
    const { head, checkpoint } = replica
    if (checkpoint === undefined) throw new Error('nothing is signed')
    const goOn = (engine: PostgresRootLog, lease: RootLease) => {
      const held: { lease: RootLease | undefined } = { lease }
      const onLease = (_: RootLease, now: RootLease | undefined): void => {
        held.lease = now
      }
      const log = new EngineCommit({ engine, lease: () => held.lease, onLease, replica, logger: silentLogger })
      const root = new Root({ replica, logKey, nodeKey: network.rootKey, logger: silentLogger, log })
      onTestFinished(() => root.stop())
      return { root, held }
    }
    return { start: { head, checkpoint: checkpoint.bytes }, goOn }
  }

  it('gives way to a newer epoch, and to nothing else: the old term and the old entries are gone', async () => {
    const { kept, log, lease, first, second } = await begun()
    await log.append(lease, first)
    const { start, goOn } = await newEpoch(kept)
    const other = logOf(kept)
    const begunAnew = await other.begin('b', start)
    expect(begunAnew).toMatchObject({ holder: 'b', term: lease.term + 1 })
    if (begunAnew === undefined) throw new Error('it was not begun')
    expect(await refusalOf(log.append(lease, second))).toBe('LeaseLostError')
    expect(await log.begin('a', start)).toBeUndefined()
    expect(await log.begin('a', kept.start)).toBeUndefined()
    expect(await log.read(0)).toEqual([])
    expect(await log.state()).toMatchObject({ head: { epoch: 1, n: start.head.n }, firstN: start.head.n + 1 })

    // Of an append of the old epoch that was under way when the new one began.
    await server.sql(
      "INSERT INTO trustnet_entry SELECT network, n + each, 'late'::bytea FROM trustnet_root, generate_series(1, 2) AS each"
    )
    const { root } = goOn(other, begunAnew)
    const { replica } = kept.store
    await root.append([kept.network.admit(replica.networkId, 9)])
    const [entry] = await log.read(start.head.n)
    expect(Buffer.from(entry?.envelope ?? [])).toEqual(Buffer.from(envelopesAfter(replica, start.head.n)[0] ?? []))
    await root.append([kept.network.admit(replica.networkId, 10)])
    expect((await log.state())?.head).toEqual(replica.head)
  })

  it('is brought to the epoch that the authority has opened by a root that has the lease already', async () => {
    const { kept, log, lease } = await begun()
    const { goOn } = await newEpoch(kept)
    const { root, held } = goOn(log, lease)
    const { replica } = kept.store
    await root.append([kept.network.admit(replica.networkId, 9)])
    expect(held.lease?.term).toBe(lease.term + 1)
    expect((await log.state())?.head).toEqual(replica.head)
    expect(replica.head.epoch).toBe(1)
  })

  it('is spoken to over TLS where a certificate is named, and takes no other certificate or name', async () => {
    await using own = await PostgresServer.start()
    const kept = await logToKeep()
    const over = (certificate: string) => logOf(kept, { url: `${own.url}?sslrootcert=${certificate}` })
    const again = async (): Promise<void> => {
      await own.down('fast')
      await own.up()
    }
    const right = await own.certify('IP:::1')
    await expect(over(right).state()).rejects.toThrow(/does not support SSL/)
    await again()
    expect(await over(right).begin('a', kept.start)).toMatchObject({ term: 1 })
    const used =
      "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'trustnet'"
    expect(await own.sql(used)).toEqual([{ ssl: true }])
    const other = await own.certify('DNS:db.example.org')
    await again()
    await expect(over(right).state()).rejects.toThrow(/certificate/)
    await expect(over(other).state()).rejects.toThrow(/does not match certificate's altnames/)
  })
})
