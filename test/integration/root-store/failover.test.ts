import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { storeTarget } from '../../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../../src/node/root/store/postgres-root-log.ts'
import type { RootLease } from '../../../src/registry/log/root-log/root-log.ts'
import { refusalOf } from '../../helpers/log-network.ts'
import { type LogToKeep, logToKeep } from '../../helpers/registry/root-log-suite.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'

let primary: PostgresServer
let standby: PostgresServer
let kept: LogToKeep
let log: PostgresRootLog
let lease: RootLease

const batch = (i: number) => {
  const found = kept.batches[i]
  if (found === undefined) throw new Error(`no batch ${i}`)
  return found
}

/** A process whose `root.store` names both servers, and one that nobody listens at. */
const openLog = (): PostgresRootLog => {
  const target = storeTarget(primary.urlWith(standby, { port: 1 }))
  if ('problem' in target) throw new Error(target.problem)
  const { networkId } = kept.store.replica
  const opened = new PostgresRootLog({ target, password: PostgresServer.password, networkId, leaseMs: 60_000 })
  onTestFinished(async () => await opened[Symbol.asyncDispose]())
  return opened
}

const headOf = async (of: PostgresRootLog) => await of.state().then((state) => state?.head, String)

describe.runIf(hasPostgres)('PostgreSQL with a synchronous standby', () => {
  beforeEach(async () => {
    primary = await PostgresServer.start()
    onTestFinished(async () => await primary[Symbol.asyncDispose]())
    standby = await primary.standby()
    onTestFinished(async () => await standby[Symbol.asyncDispose]())
    kept = await logToKeep()
    log = openLog()
    const begun = await log.begin('a', kept.start)
    if (begun === undefined) throw new Error('it was begun')
    lease = begun
    await log.append(lease, batch(0))
  })

  it('has all that it answered on the standby that takes its place, with lease and term', async () => {
    await primary.down('immediate')
    expect(await refusalOf(log.append(lease, batch(1)))).toMatch(/^(UnavailableError|OutcomeUnknownError)$/)
    await expect(log.state()).rejects.toThrow(/none of its servers is a primary that answers.*it is a standby/)
    await standby.promote()
    await expect.poll(async () => await headOf(log)).toEqual(batch(0).head)
    await log.renew(lease)
    expect(await log.acquire('b')).toBeUndefined()
    await log.append(lease, batch(1))
    expect(await headOf(openLog())).toEqual(batch(1).head)
  })

  it('is left for the standby when it stands still, and nobody knows what became of the last append', async () => {
    await primary.freeze()
    const appended = refusalOf(log.append(lease, batch(1)))
    await standby.promote()
    expect(await appended).toBe('OutcomeUnknownError')
    await expect.poll(async () => await headOf(log)).toEqual(batch(0).head)
    await log.append(lease, batch(1))
    await primary.thaw()
    const other = openLog()
    expect(await headOf(other)).toEqual(batch(1).head)
    expect(await refusalOf(log.append(lease, batch(2)))).toBe('taken')
  })

  it('is not used when it comes back as it was, beside or without the one that has taken its place', async () => {
    await primary.down('immediate')
    await standby.promote()
    await expect.poll(async () => await refusalOf(log.append(lease, batch(1)))).toBe('taken')
    await primary.up()
    expect(await headOf(openLog())).toEqual(batch(1).head)
    await standby.down('immediate')
    await expect(log.state()).rejects.toThrow(/the only primary that answers is an old one \(timeline 1, 2 has/)
    await standby.up()
    await log.append(lease, batch(2))
    // Whoever has never seen the new one takes the old one: a control.
    await standby.down('immediate')
    expect(await headOf(openLog())).toEqual(batch(0).head)
  })
})
