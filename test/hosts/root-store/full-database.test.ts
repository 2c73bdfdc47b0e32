import { randomBytes } from 'node:crypto'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { storeTarget } from '../../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../../src/node/root/store/postgres-root-log.ts'
import type { RootLease, RootLogStart } from '../../../src/registry/log/root-log/root-log.ts'
import { OutcomeUnknownError } from '../../../src/registry/log/root-log/root-log.ts'
import type { Head } from '../../../src/registry/log/state/network-state.ts'
import { codeOf } from '../../../src/runtime/error-code.ts'
import { UnavailableError } from '../../../src/runtime/errors.ts'
import { whyNoPowerCuts } from '../../faults/disk.ts'
import { eventually } from '../../helpers/network.ts'
import { logToKeep } from '../../helpers/registry/root-log-suite.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'

const reason = hasPostgres ? whyNoPowerCuts() : "needs Debian's postgresql-15"
const diskBytes = 160 * 1024 * 1024
/** Some of them are more than what a table has left on its last page. */
const entryBytes = 4000
/** Some thousand fill a file of the write-ahead log. */
const walEntryBytes = 12_000

/** Takes all the room that is left. Gives the file. */
const fill = (disk: string): string => {
  const { bavail, bsize } = statfsSync(disk)
  const file = join(disk, 'filler')
  try {
    writeFileSync(file, new Uint8Array(bavail * bsize))
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error
  }
  return file
}

/** A log in a database, which goes on with entries of that size. */
class KeptLog implements AsyncDisposable {
  readonly #log: PostgresRootLog
  readonly #lease: RootLease
  readonly #start: RootLogStart
  /** Of the last entry that was acknowledged. */
  head: Head

  private constructor(log: PostgresRootLog, lease: RootLease, start: RootLogStart) {
    this.#log = log
    this.#lease = lease
    this.#start = start
    this.head = start.head
  }

  static async begin(server: PostgresServer): Promise<KeptLog> {
    const { start, store } = await logToKeep()
    const target = storeTarget(server.url)
    if ('problem' in target) throw new Error(target.problem)
    const { networkId } = store.replica
    const log = new PostgresRootLog({ target, password: PostgresServer.password, networkId, leaseMs: 60_000 })
    const lease = await log.begin('a', start)
    if (lease === undefined) throw new Error('it was begun')
    return new KeptLog(log, lease, start)
  }

  async append(bytes: number): Promise<void> {
    const n = this.head.n + 1
    const next = { epoch: this.head.epoch, n, hash: Uint8Array.from(Buffer.alloc(32, n)) }
    const entries = [{ n, envelope: Uint8Array.from(randomBytes(bytes)) }]
    const { checkpoint } = this.#start
    await this.#log.append(this.#lease, { after: this.head, entries, head: next, checkpoint })
    this.head = next
  }

  /** Appends until it cannot. Gives why. */
  async refusal(bytes: number): Promise<unknown> {
    try {
      for (;;) await this.append(bytes)
    } catch (error) {
      return error
    }
  }

  async stored(): Promise<Head | undefined> {
    return (await this.#log.state())?.head
  }

  async renew(): Promise<void> {
    await this.#log.renew(this.#lease)
  }

  /** All entries are there. */
  async isWhole(): Promise<void> {
    const { n } = this.#start.head
    const found: number[] = []
    for (let at = n; at < this.head.n; at = found.at(-1) ?? this.head.n)
      found.push(...(await this.#log.read(at)).map((item) => item.n))
    expect(found).toEqual(Array.from({ length: this.head.n - n }, (_, i) => n + 1 + i))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log[Symbol.asyncDispose]()
  }
}

describeUnless(reason)('a database of the log whose disk is full', () => {
  it('takes nothing more and loses nothing, and goes on when there is room', async () => {
    await using server = await PostgresServer.startOnDisk(diskBytes)
    await using log = await KeptLog.begin(server)
    await log.append(entryBytes)
    const filler = fill(server.disk)
    const refusal = await log.refusal(entryBytes)
    expect(refusal).toBeInstanceOf(UnavailableError)
    expect(String(refusal)).toMatch(/No space left on device/)
    expect(await log.stored()).toEqual(log.head)
    await log.renew()
    rmSync(filler)
    await log.append(entryBytes)
    await log.isWhole()
  })

  it('stops when it is that of the write-ahead log, and has all that it answered when it is started with room', async () => {
    await using server = await PostgresServer.startOnDisk(diskBytes, { walAlone: true })
    await using log = await KeptLog.begin(server)
    await log.append(walEntryBytes)
    const filler = fill(server.disk)
    const refusal = await log.refusal(walEntryBytes)
    expect([UnavailableError.name, OutcomeUnknownError.name]).toContain(refusal instanceof Error && refusal.name)
    await eventually(
      async () =>
        !(await log.stored().then(
          () => true,
          () => false
        ))
    )
    rmSync(filler)
    await server.down('immediate').catch(() => {})
    await server.up()
    const stored = await log.stored()
    // The append that was under way may have come.
    expect([log.head.n, log.head.n + 1]).toContain(stored?.n)
    if (stored !== undefined) log.head = stored
    await log.append(walEntryBytes)
    await log.isWhole()
  })
})
