import { existsSync, linkSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createKey } from '../../../src/identity/key-file.ts'
import { destroyPastLogKeys, nextLogKey } from '../../../src/node/root/log-key.ts'
import { sealDelegation } from '../../../src/registry/log/log-writer.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { keyNumber, LogNetwork } from '../../helpers/log-network.ts'

it('the log key of an epoch that a newer one branched off below is deleted, and none of an epoch that is not known', async () => {
  const network = new LogNetwork()
  const { replica } = await network.start()
  const [past, unknown] = ['past', 'unknown'].map((name) => join(network.dir, `${name}.key`)) as [string, string]
  const { publicKey } = createKey(past)
  createKey(unknown)
  const links = [past, unknown].map((path) => `${path}.link`)
  for (const [index, path] of [past, unknown].entries()) linkSync(path, links[index] ?? '')
  const forkN = replica.head.n - 1
  await replica.apply([sealDelegation(replica, network.authority, publicKey).bytes])
  for (const path of [past, unknown]) destroyPastLogKeys(path, replica, silentLogger)
  expect([past, unknown].map(existsSync)).toEqual([true, true])
  await replica.apply([sealDelegation(replica, network.authority, keyNumber(1005).publicKey, forkN).bytes])
  expect(replica.state.keys.isLogKey(publicKey)).toBe(false)
  for (const path of [past, unknown]) destroyPastLogKeys(path, replica, silentLogger)
  expect([past, unknown].map(existsSync)).toEqual([false, true])
  // What is left of it under another name is zeros.
  expect(links.map((link) => readFileSync(link).every((byte) => byte === 0))).toEqual([true, false])
})

it('a key that a broken-off try has left is taken again when the present epoch has it, and is deleted otherwise', async () => {
  const network = new LogNetwork()
  const { replica } = await network.start()
  const path = join(network.dir, 'log.key')
  const left = nextLogKey(path, replica.state.keys)
  const next = nextLogKey(path, replica.state.keys)
  expect(next.publicKey).not.toEqual(left.publicKey)
  await replica.apply([sealDelegation(replica, network.authority, next.publicKey).bytes])
  expect(nextLogKey(path, replica.state.keys).publicKey).toEqual(next.publicKey)
})
