import { expect, test } from 'vitest'
import { digestsOf, makeBlocks, startBlockMember } from '../../helpers/hosts/block-members.ts'
import type { Members } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'

test('ten nodes that fetch the same blocks at once have most of them from each other', async () => {
  const members: Members = new Map()
  const blocks = makeBlocks(400, 4_096)
  const owner = await startBlockMember({ members, blocks })
  const nodes = await Promise.all(Array.from({ length: 10 }, async () => await startBlockMember({ members })))
  disposeAfterTest(owner, ...nodes)
  // As the members of a network are: a hundred handshakes at once would be another test.
  for (const [at, node] of nodes.entries()) {
    for (const other of [owner, ...nodes.slice(0, at)]) await connect(node.host, other.host)
  }
  await Promise.all(nodes.map(async (node) => await node.fetch(digestsOf(blocks), [owner, ...nodes])))
  expect(nodes.map(({ stored }) => stored.blocks.size)).toEqual(nodes.map(() => blocks.size))
  // Ten copies, if nobody gave anything to anybody else; how few they are is measured by the benchmark.
  expect(owner.stored.given / blocks.size).toBeLessThan(8)
})
