import { copyFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { WallClock } from '../../helpers/faults/wall-clock.ts'
import { TestNetwork } from '../../helpers/network.ts'
import { hasPostgres } from '../../helpers/servers/postgres.ts'
import { postgresForNodes } from '../../helpers/servers/postgres-for-nodes.ts'

const warned = async ({ control }: TrustNode): Promise<string[]> =>
  (await control.status()).warnings.map(({ code }) => code).filter((code) => /root_store|candidate/.test(code))
const metric = async ({ metrics }: TrustNode, name: string): Promise<string | undefined> =>
  (await metrics?.text())?.split('\n').find((line) => line.startsWith(`${name} `))

describe.runIf(hasPostgres)('what a root and a candidate say of the database of the log', () => {
  const database = postgresForNodes()

  it('names a candidate without the log key of today, settings that lose entries, and that it is not reached', async () => {
    const network = await TestNetwork.create({ 'root.store': database.server.url, 'http.listen': '[::1]:0' })
    onTestFinished(async () => await network[Symbol.asyncDispose]())
    const root = network.node('root')
    const isRoot = (): boolean => {
      const { replica, root: writer } = root.network?.registry ?? {}
      return (
        writer?.refusal === undefined &&
        replica?.state.registry(root.key.publicKey)?.role === 'root' &&
        root.config.role === 'root'
      )
    }
    await expect.poll(isRoot).toBe(true)
    const other = await network.join('other', { role: 'secondary' })
    const standing = async (): Promise<unknown> => (await other.control.registryStatus()).rootStore
    await expect
      .poll(standing)
      .toMatchObject({ held: false, holder: { name: 'root' }, fault: expect.stringMatching(/no log key/) })
    await expect.poll(() => warned(other)).toContain('no_candidate')
    expect(await metric(other, 'trustnet_root_store_stands')).toBe('trustnet_root_store_stands 0')
    expect((await root.control.registryStatus()).rootStore?.candidates).toEqual([])

    const { logKey } = dataFiles(other.config.paths.data)
    copyFileSync(other.config.paths.key, logKey)
    await expect.poll(standing).toMatchObject({ fault: expect.stringMatching(/is not the log key of today/) })
    copyFileSync(dataFiles(root.config.paths.data).logKey, logKey)
    await expect.poll(() => warned(other)).toEqual(['root_store_weak'])
    await expect.poll(() => metric(root, 'trustnet_root_store_candidates')).toBe('trustnet_root_store_candidates 1')
    expect(await metric(root, 'trustnet_root_store_weaknesses')).toBe('trustnet_root_store_weaknesses 1')

    const clock = new WallClock()
    clock.add(3_600_000)
    const ahead = network.make('ahead', { role: 'secondary', 'bootstrap.peers': [network.address('root')] }, { clock })
    ahead.invites.use(await network.invite({ role: 'secondary' }))
    await ahead.start()
    await ahead.joined()
    copyFileSync(logKey, dataFiles(ahead.config.paths.data).logKey)
    const fault = async (): Promise<unknown> => (await ahead.control.registryStatus()).rootStore?.fault
    await expect.poll(fault).toMatch(/60 minutes ahead of that of the database/)
    await expect.poll(() => warned(ahead)).toContain('no_candidate')
    expect(await metric(root, 'trustnet_root_store_candidates')).toBe('trustnet_root_store_candidates 1')
    clock.add(-3_600_000)
    await expect.poll(() => metric(root, 'trustnet_root_store_candidates')).toBe('trustnet_root_store_candidates 2')
    expect(await fault()).toBeNull()

    await database.server.down()
    await expect.poll(() => warned(root)).toContain('root_store_down')
    expect(await metric(root, 'trustnet_root_store_reached')).toBe('trustnet_root_store_reached 0')
    expect((await root.control.registryStatus()).rootStore).toMatchObject({
      failure: expect.stringMatching(/database of the log/)
    })
    await database.server.up()
    await expect.poll(() => warned(root)).not.toContain('root_store_down')
  })
})
