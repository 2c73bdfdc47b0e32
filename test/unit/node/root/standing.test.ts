import { copyFileSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createKey, loadKey } from '../../../../src/identity/key-file.ts'
import { standingFault } from '../../../../src/node/root/store/standing.ts'
import { sealDelegation } from '../../../../src/registry/log/log-writer.ts'
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
