import { copyFileSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createKey, loadKey } from '../../../../src/identity/key-file.ts'
import { clockFault, standingFault } from '../../../../src/node/root/store/standing.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
import { SteadyClock } from '../../../../src/runtime/steady-clock.ts'
import { logToKeep } from '../../../helpers/registry/root-log-suite.ts'
import { tempFolder } from '../../../helpers/temp.ts'

it('stands with the log key of today alone, also with one that a process which ended had not put in its place', async () => {
  const {
    network,
    store: { replica }
  } = await logToKeep()
  using folder = tempFolder()
  const logKey = join(folder.path, 'log.key')
  const standing = { publicKey: network.rootKey.publicKey, logKey }
  const fault = (): string | undefined => standingFault(standing, replica)
  expect(fault()).toMatch(/it has no log key/)
  createKey(logKey)
  expect(fault()).toMatch(/is not the log key of today/)

  const next = createKey(`${logKey}.next`)
  expect(fault()).toMatch(/is not the log key of today/)
  expect(existsSync(`${logKey}.next`)).toBe(true)
  await replica.apply([sealDelegation(replica, network.authority, next.publicKey).bytes])
  expect(fault()).toBeUndefined()
  expect(loadKey(logKey).publicKey).toEqual(next.publicKey)
  expect(existsSync(`${logKey}.next`)).toBe(false)

  // Another machine has only what was made for the epoch.
  const other = join(folder.path, 'other.key')
  copyFileSync(logKey, other)
  renameSync(other, `${other}.next`)
  expect(standingFault({ ...standing, logKey: other }, replica)).toBeUndefined()
  expect(standingFault({ publicKey: next.publicKey, logKey }, replica)).toMatch(/no registry of the network yet/)
})

const hour = 3_600_000

it('does not stand with a clock that neither the database nor the newest checkpoint has, until it is put right', async () => {
  const { network, store, start } = await logToKeep()
  const { replica } = store
  const state = { ...start, firstN: 1, lease: { holder: 'a', term: 1, leftMs: 0 } }
  const wall = { nowMs: network.clock.now() }
  const clock = (): SteadyClock =>
    new SteadyClock({ clock: { now: () => wall.nowMs, monotonic: () => 0 }, uptimeMs: () => undefined })
  const rightMs = wall.nowMs
  const fault = (of: SteadyClock, clockMs: number | undefined = rightMs): string | undefined =>
    clockFault(of, replica, { ...state, clockMs })
  expect(fault(clock())).toBeUndefined()
  // A database whose clock is wrong keeps nobody from it.
  expect(fault(clock(), rightMs + hour)).toBeUndefined()

  wall.nowMs = rightMs + hour
  const ahead = clock()
  expect(fault(ahead)).toMatch(/60 minutes ahead of that of the database/)
  expect(fault(ahead, wall.nowMs)).toBeUndefined()
  wall.nowMs = rightMs - 2 * hour
  expect(fault(clock())).toMatch(/2 hours behind that of the database/)
  expect(fault(ahead)).toMatch(/60 minutes ahead/)
  wall.nowMs = rightMs
  expect(fault(ahead)).toBeUndefined()
  expect(ahead.now()).toBe(rightMs)
})

it('stands whatever its clock says where the database has none', async () => {
  const { store, start } = await logToKeep()
  const state = { ...start, firstN: 1, lease: { holder: 'a', term: 1, leftMs: 0 } }
  expect(clockFault(new SteadyClock(), store.replica, state)).toBeUndefined()
})
