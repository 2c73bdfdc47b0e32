import { randomBytes } from 'node:crypto'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { storeTarget } from '../../../src/node/config/field-types/root-store-url.ts'
import { PostgresRootLog } from '../../../src/node/root/store/postgres-root-log.ts'
import { codeOf } from '../../../src/runtime/error-code.ts'
import { UnavailableError } from '../../../src/runtime/errors.ts'
import { whyNoPowerCuts } from '../../faults/disk.ts'
import { logToKeep } from '../../helpers/registry/root-log-suite.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'

const reason = hasPostgres ? whyNoPowerCuts() : "needs Debian's postgresql-15"
const diskBytes = 160 * 1024 * 1024
/** Some of them are more than what a table has left on its last page. */
const entryBytes = 4000

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

describeUnless(reason)('a database of the log whose disk is full', () => {
  it('takes nothing more and loses nothing, and goes on when there is room', async () => {
    await using server = await PostgresServer.startOnDisk(diskBytes)
    const kept = await logToKeep()
    const target = storeTarget(server.url)
    if ('problem' in target) throw new Error(target.problem)
    const { networkId } = kept.store.replica
    await using log = new PostgresRootLog({ target, password: PostgresServer.password, networkId, leaseMs: 60_000 })
    const { head: start, checkpoint } = kept.start
    const lease = await log.begin('a', kept.start)
    if (lease === undefined) throw new Error('it was begun')
    let head = start
    const append = async (): Promise<void> => {
      const n = head.n + 1
      const next = { epoch: head.epoch, n, hash: Uint8Array.from(Buffer.alloc(32, n)) }
      const entries = [{ n, envelope: Uint8Array.from(randomBytes(entryBytes)) }]
      await log.append(lease, { after: head, entries, head: next, checkpoint })
      head = next
    }
    await append()
    const filler = fill(dirname(server.data))
    const refusal = await (async () => {
      for (;;) await append()
    })().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(UnavailableError)
    expect(String(refusal)).toMatch(/No space left on device/)
    expect((await log.state())?.head).toEqual(head)
    await log.renew(lease)
    rmSync(filler)
    await append()
    const found = await log.read(start.n)
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: head.n - start.n }, (_, i) => start.n + 1 + i))
  })
})
