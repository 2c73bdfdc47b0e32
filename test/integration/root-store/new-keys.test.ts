import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { rotateAuthority } from '../../../src/node/offline/rotate-authority.ts'
import { rotateLogKey, rotateRunningAuthority } from '../../../src/node/offline/rotate-running.ts'
import { KitNetwork, kitPassphrase } from '../../helpers/registry/kit-network.ts'
import { hasPostgres } from '../../helpers/servers/postgres.ts'
import { postgresForNodes } from '../../helpers/servers/postgres-for-nodes.ts'

/** None of these calls is broken off. */
const { signal } = new AbortController()

const isInPlace = ({ config, key, network }: TrustNode): boolean => {
  const { root, replica } = network?.registry ?? {}
  const isWriting = root !== undefined && root.refusal === undefined && config.role === 'root'
  return isWriting && replica?.state.registry(key.publicKey)?.role === 'root'
}

describe.runIf(hasPostgres)('keys of a log that is in a database', () => {
  const database = postgresForNodes()

  it('are changed while the root runs; a candidate takes its place with the new one, and not before it has it', async () => {
    const network = await KitNetwork.create({ 'root.store': database.server.url })
    onTestFinished(async () => await network[Symbol.asyncDispose]())
    const root = network.node('root')
    await expect.poll(() => isInPlace(root)).toBe(true)
    const logKeyOf = ({ config }: TrustNode): string => dataFiles(config.paths.data).logKey
    const other = await network.join('other', { role: 'secondary' })
    copyFileSync(logKeyOf(root), logKeyOf(other))
    const fault = async (): Promise<unknown> => (await other.control.registryStatus()).rootStore?.fault
    await expect.poll(fault).toBe(null)

    const next = join(network.folder, 'next.kit')
    renameSync(dataFiles(root.config.paths.data).nextRecoveryKit, next)
    const file = { kit: next, passphrase: kitPassphrase, to: join(network.folder, 'after-next.kit') }
    await expect(rotateAuthority({ ...file, config: root.config, apply: true })).rejects.toThrow(
      /while its process runs/
    )
    await expect(other.control.prepareEntry({ kind: 'delegate' })).rejects.toThrow('only the root')
    await rotateRunningAuthority(root.control, file, signal)
    await expect.poll(() => other.registry.replica.state.keys.authorities.length).toBe(2)

    const entered = await rotateLogKey(root.control, { kit: next, passphrase: kitPassphrase }, signal)
    await expect.poll(() => isInPlace(root)).toBe(true)
    await network.join('m1', { role: 'integrated', 'root.store': undefined })
    await expect.poll(() => other.registry.replica.state.memberByName('m1')).toBeDefined()
    const stored = async () => (await database.server.sql('SELECT epoch::int, n::int, holder FROM trustnet_root'))[0]
    await expect.poll(stored).toEqual({ epoch: entered.epoch, n: root.registry.replica.head.n, holder: root.peerId })
    await expect.poll(fault).toMatch(/is not the log key of today/)

    copyFileSync(logKeyOf(root), logKeyOf(other))
    await expect.poll(fault).toBe(null)
    await root.stop()
    await expect.poll(() => isInPlace(other)).toBe(true)
    expect(other.registry.replica.head.epoch).toBe(entered.epoch)
    expect(other.registry.replica.state.memberByName('m1')).toBeDefined()
    expect(other.registry.alarms.list().map(({ code }) => code)).toEqual([])
  })
})
