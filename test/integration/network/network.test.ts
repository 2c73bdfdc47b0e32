import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const states = async (node: TrustNode): Promise<Record<string, string>> => {
  const { peers } = await node.control.peers()
  return Object.fromEntries(peers.map(({ name, state }) => [name, state]))
}

describe('a network of a root, a secondary and nodes', () => {
  it('lets everybody see everybody online', async () => {
    await using network = await TestNetwork.create()
    await network.join('second', { role: 'secondary' })
    await Promise.all(['a', 'b', 'c'].map((name) => network.join(name)))
    const everybody = { root: 'online', second: 'online', a: 'online', b: 'online', c: 'online' }
    for (const node of network.nodes) {
      await eventually(
        async () =>
          JSON.stringify(Object.entries(await states(node)).toSorted(([a], [b]) => a.localeCompare(b))) ===
          JSON.stringify(Object.entries(everybody).toSorted(([a], [b]) => a.localeCompare(b)))
      )
    }
    expect(await states(network.node('a'))).toEqual(everybody)
  })
})
