import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { unasked } from '../../../src/node/api/stamp.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { rotateAuthority } from '../../../src/node/offline/rotate-authority.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork, kitPassphrase } from '../../helpers/registry/kit-network.ts'
import { expectSchema } from '../../helpers/schemas.ts'

it('the next authority takes over: the kit before is worthless, and the next one makes a new log key', async () => {
  await using network = await KitNetwork.create()
  const hal = await network.join('hal')
  const { config } = network.node('root')
  const { port } = network.node('root').attached
  await network.node('root').stop()
  const next = join(network.folder, 'next.kit')
  renameSync(dataFiles(config.paths.data).nextRecoveryKit, next)
  const to = join(network.folder, 'after-next.kit')
  const init = { config, kit: next, passphrase: kitPassphrase, to, apply: true }

  await expect(rotateAuthority({ ...init, kit: network.kit })).rejects.toThrow(/holds the authority of today/)
  const stored = { ...config, root: { store: 'postgres://u@[::1]/log' } }
  await expect(rotateAuthority({ ...init, config: stored })).rejects.toThrow(
    /keeps the log, where another process is the root/
  )
  await expect(rotateAuthority({ ...init, to: next })).rejects.toThrow(/is the kit that is used now/)
  const plan = await rotateAuthority({ ...init, apply: false })
  expect([plan.applied, plan.entry, existsSync(to)]).toEqual([false, null, false])
  const done = await rotateAuthority(init)
  expectSchema('authority-rotate', unasked(done))
  await expect(rotateAuthority(init)).rejects.toThrow(/holds the authority of today/)

  await network.start('root', { role: 'root', 'listen.port': port })
  await eventually(() => hal.registry.replica.state.keys.authorities.length === 2)
  await network.node('root').stop()
  // On the machine that is the root already: a new log key.
  await expect(becomeRoot(network.promotion('root'))).rejects.toThrow(/does not hold the authority/)
  const before = network.logKeyText('root')
  expect(await becomeRoot(network.promotion('root', { kit: { path: next, passphrase: kitPassphrase } }))).toMatchObject(
    { epoch: 1, former: [] }
  )
  expect(network.logKeyText('root')).not.toBe(before)
  const root = await network.start('root', { role: 'root', 'listen.port': port })
  await eventually(() => hal.registry.replica.head.epoch === 1 && root.registry.root?.refusal === undefined)
  expect(root.registry.root?.isReplaced).toBe(false)
})
