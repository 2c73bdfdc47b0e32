import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const alarmsOf = (node: TrustNode): string[] => node.registry.alarms.list().map(({ code }) => code)

/** The root as it was before `since` happened. */
async function restoreRoot(network: TestNetwork, since: () => Promise<void>): Promise<void> {
  const { data } = network.node('root').config.paths
  const backup = join(network.folder, 'backup')
  await network.node('root').stop()
  cpSync(data, backup, { recursive: true })
  await network.start('root', { role: 'root' })
  await since()
  await network.node('root').stop()
  rmSync(data, { recursive: true })
  cpSync(backup, data, { recursive: true })
}

describe('a root that lost the end of its log', () => {
  it.each([
    ['a secondary', 'secondary', []],
    ['members alone', 'integrated', ['m1', 'm2']],
    ['the only other member that it knows', 'integrated', []]
  ])('appends nothing before it has it back from %s', async (_who, role, others) => {
    await using network = await TestNetwork.create()
    const keeper = await network.join('keeper', { role })
    await Promise.all(others.map(async (name) => await network.join(name)))
    await restoreRoot(network, async () => {
      await network.join('b')
      await eventually(() => keeper.registry.replica.state.memberByName('b') !== undefined)
    })
    const lost = keeper.registry.replica.head.n
    const root = await network.start('root', { role: 'root' })
    expect(root.registry.replica.head.n).toBeLessThan(lost)
    expect(root.registry.root?.refusal).toBeDefined()
    await eventually(() => root.registry.root?.refusal === undefined)
    expect(root.registry.replica.head.n).toBeGreaterThanOrEqual(lost)
    await network.join('c')
    const running = network.nodes.filter((node) => !node.isStopping)
    await eventually(() => running.every((node) => node.registry.replica.state.memberByName('c') !== undefined))
    for (const node of running) {
      expect(node.registry.replica.state.memberByName('b')).toBeDefined()
      // A copy that is put back is an honest mistake: it forks nothing, and nobody else has the key.
      expect(alarmsOf(node)).not.toContain('log_fork')
      expect(alarmsOf(node)).not.toContain('duplicate_key')
    }
  })

  it('waits for no more heads than there are other members', async () => {
    await using network = await TestNetwork.create()
    await network.join('only')
    await network.node('root').stop()
    const root = await network.start('root', { role: 'root' })
    expect(root.registry.root?.refusal).toBeDefined()
    // Without anybody's head it would wait for 30 s.
    await eventually(() => root.registry.root?.refusal === undefined)
  })
})
