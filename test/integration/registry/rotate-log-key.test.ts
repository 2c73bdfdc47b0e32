import { copyFileSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { equals } from 'uint8arrays/equals'
import { expect, it } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { unasked } from '../../../src/node/api/stamp.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import { rotateLogKey, rotateRunningAuthority } from '../../../src/node/offline/rotate-running.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { LogMismatchError } from '../../../src/runtime/errors.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork, kitPassphrase } from '../../helpers/registry/kit-network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

/** None of these calls is broken off. */
const { signal } = new AbortController()

it('a running root gets a new log key, members follow, and the stolen one is worthless', async () => {
  await using network = await KitNetwork.create()
  const [hal, bob] = [await network.join('hal'), await network.join('bob')]
  const root = network.node('root')
  const { logKey: path } = dataFiles(root.config.paths.data)
  const stolen = loadKey(path)
  copyFileSync(path, join(network.folder, 'stolen.key'))
  const { networkId, replica } = hal.registry
  const kit = { kit: network.kit, passphrase: kitPassphrase }
  await expect(rotateLogKey(root.control, { ...kit, passphrase: 'wrong' }, signal)).rejects.toThrow(
    /passphrase is wrong/
  )
  const entered = await rotateLogKey(root.control, kit, signal)
  expectSchema('registry-entered', unasked(entered))
  expect(entered.epoch).toBe(1)
  expect([equals(loadKey(path).publicKey, stolen.publicKey), existsSync(`${path}.next`)]).toEqual([false, false])
  for (const node of [hal, bob]) await eventually(() => node.registry.replica.head.epoch === 1)
  await eventually(async () => {
    const view = await root.control.spread({ epoch: entered.epoch, n: entered.n })
    expectSchema('registry-spread', view)
    return view.members.length === 2 && view.members.every(({ has }) => has)
  })
  // It goes on as the root, without an alarm.
  await eventually(() => root.registry.root?.refusal === undefined)
  await root.control.changeMember({ peer: 'hal', groups: ['web'] })
  await eventually(() => replica.state.memberByName('hal')?.groups.join() === 'web')
  expect(root.registry.alarms.list().map(({ code }) => code)).toEqual([])
  await network.join('eve')
  await eventually(() => replica.state.memberByName('eve') !== undefined)

  // The thief goes on with the epoch of before, and with that of today.
  const { n, hash: prevHash, epoch } = replica.head
  const timeMs = replica.timeMs
  const body = { publicKey: bob.key.publicKey, reason: 'by a thief', name: 'bob' }
  for (const of of [0, epoch]) {
    const forged = sealEntry({ networkId, n: n + 1, prevHash, epoch: of, timeMs, kind: 'revoke', body }, stolen)
    await expect(replica.apply([forged.bytes])).rejects.toThrow(LogMismatchError)
  }
  const state = { stateRoot: replica.state.root(), rows: 1, bytes: 1 }
  const checkpoint = sealCheckpoint({ networkId, epoch, n: n + 5, headHash: prevHash, timeMs, ...state }, stolen)
  await expect(replica.observe(checkpoint.bytes)).rejects.toThrow(LogMismatchError)
  expect([replica.head.n, replica.isForked]).toEqual([n, false])
  // And over a restart.
  const { port } = root.attached
  await root.stop()
  const again = await network.start('root', { role: 'root', 'listen.port': port })
  await eventually(() => again.registry.root?.refusal === undefined)
})

it('a running root makes the next authority the authority, without its key', async () => {
  await using network = await KitNetwork.create()
  const hal = await network.join('hal')
  const root = network.node('root')
  const next = join(network.folder, 'next.kit')
  renameSync(dataFiles(root.config.paths.data).nextRecoveryKit, next)
  const to = join(network.folder, 'after-next.kit')
  const file = { kit: next, passphrase: kitPassphrase, to }
  await expect(rotateRunningAuthority(root.control, { ...file, kit: network.kit }, signal)).rejects.toThrow(
    /authority of today/
  )
  const entered = await rotateRunningAuthority(root.control, file, signal)
  await eventually(() => hal.registry.replica.state.keys.authorities.length === 2)
  expect(hal.registry.replica.head.n).toBeGreaterThanOrEqual(entered.n)
  await root.control.changeMember({ peer: 'hal', groups: ['web'] })
  // The kit before is worthless, and what the authority has not signed is refused.
  await expect(rotateLogKey(root.control, { kit: network.kit, passphrase: kitPassphrase }, signal)).rejects.toThrow(
    /does not hold the authority/
  )
  await expect(hal.control.prepareEntry({ kind: 'delegate' })).rejects.toThrow('only the root')
  const opened = await rotateLogKey(root.control, { kit: next, passphrase: kitPassphrase }, signal)
  await eventually(() => hal.registry.replica.head.epoch === opened.epoch)
})
