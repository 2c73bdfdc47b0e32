import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unasked } from '../../../src/node/api/stamp.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { restoreHere, verifyStoreAt } from '../../../src/node/offline/stopped-store.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { serviceNamed } from '../../helpers/signed-objects.ts'

const warningOf = async ({ control }: TrustNode, code: string) =>
  (await control.status()).warnings.find((warning) => warning.code === code)

/** A backup of the root, then `since`; all are stopped in the end, and the root goes back to its backup. */
async function restoreRoot(network: TestNetwork, since: () => Promise<void>): Promise<void> {
  const root = network.node('root')
  const to = join(network.folder, 'backup.db')
  const before = root.registry.replica.head.n
  const backup = await root.control.backup({ to })
  expectSchema('registry-backup', backup)
  // Others may be entered while it is made.
  expect(backup.head.n).toBeGreaterThanOrEqual(before)
  await since()
  await Promise.all(network.nodes.map((node) => node.stop()))
  const view = await restoreHere(root.config, to, true)
  expectSchema('registry-restore', unasked(view))
  expect(view).toMatchObject({ head: { n: backup.head.n }, missing: [] })
  const verified = await verifyStoreAt(view.path)
  expectSchema('registry-verify', unasked(verified))
  expect(verified.head).toEqual(backup.head)
}

/** The root signs one record more, and the other one has it. */
async function republished(root: TrustNode, other: TrustNode, service: string): Promise<void> {
  const record = await root.network?.selfRecord.issue({ services: [serviceNamed(service)] })
  if (record === undefined) throw new Error('the root runs')
  await root.registry.records.put(record.bytes)
  const seqAt = (): number => other.registry.records.get(root.key.publicKey)?.seq ?? 0
  await eventually(() => seqAt() >= record.value.seq)
}

describe('a root that was restored from an old backup', () => {
  it('appends nothing until a registry has shown its head, and fetches what it lacks', async () => {
    await using network = await TestNetwork.create()
    const { key } = await network.join('keeper', { role: 'secondary' })
    // Else its entry may come while the backup is made.
    await eventually(() => network.node('root').registry.replica.state.registry(key.publicKey) !== undefined)
    await restoreRoot(network, async () => {
      await network.join('b')
      await eventually(() => network.node('keeper').registry.replica.state.memberByName('b') !== undefined)
    })
    const root = await network.start('root', { role: 'root' })
    expect(root.registry.root?.refusal?.message).toContain('was restored from a backup')
    expect(await warningOf(root, 'root_refuses')).toMatchObject({
      fix: expect.stringContaining('trustnet registry resume --head')
    })
    await expect(root.registry.root?.append([])).rejects.toThrow(/was restored/)
    await network.start('keeper', { role: 'secondary', 'bootstrap.peers': [network.address('root')] })
    await eventually(() => root.registry.root?.refusal === undefined)
    expect(root.registry.replica.state.memberByName('b')).toBeDefined()
    await eventually(() => root.registry.restored === undefined)
    await network.join('c')
    await eventually(() => network.node('keeper').registry.replica.state.memberByName('c') !== undefined)
    expect(network.node('keeper').registry.alarms.list()).toEqual([])
  })

  it('signs no record with a number that it has used after the backup', async () => {
    await using network = await TestNetwork.create()
    const { key } = await network.join('keeper', { role: 'secondary' })
    await eventually(() => network.node('root').registry.replica.state.registry(key.publicKey) !== undefined)
    await restoreRoot(network, async () => {
      for (const service of ['one', 'two', 'three'])
        await republished(network.node('root'), network.node('keeper'), service)
    })
    const root = await network.start('root', { role: 'root' })
    const keeper = await network.start('keeper', { role: 'secondary', 'bootstrap.peers': [network.address('root')] })
    const used = keeper.registry.records.get(root.key.publicKey)?.seq ?? 0
    expect(root.network?.selfRecord.current?.value.seq).toBeLessThan(used)
    await eventually(() => (root.network?.selfRecord.current?.value.seq ?? 0) > used)
    await eventually(() => root.registry.restored === undefined)
    expect([root, keeper].flatMap(({ registry }) => registry.alarms.list())).toEqual([])
  })

  it('appends on the operator’s word, who names the head', async () => {
    await using network = await TestNetwork.create()
    await network.join('b')
    await restoreRoot(network, async () => {})
    const root = await network.start('root', { role: 'root' })
    const { n } = root.registry.replica.head
    await expect(root.control.resume({ head: n + 1 })).rejects.toThrow(/ends at entry/)
    expect(root.registry.root?.refusal).toBeDefined()
    expectSchema('change', await root.control.resume({ head: n }))
    expect(root.registry.root?.refusal).toBeUndefined()
    await eventually(() => root.registry.restored === undefined)
    await expect(root.control.resume({ head: n })).rejects.toThrow(/waits for no word/)
  })
})
