import { describe, expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { sealRecord } from '../../../src/registry/objects/record.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const alarmsOf = (node: TrustNode): string[] => node.registry.alarms.list().map(({ code }) => code)

/** A record of the root's key comes that its store does not know, signed so long ago. */
async function shown(root: TrustNode, ageMs: number): Promise<void> {
  await eventually(() => root.attached.selfRecord.current !== undefined)
  const { current } = root.attached.selfRecord
  if (current === undefined) throw new Error('no record')
  const newer = { ...current.value, seq: current.value.seq + 5, issuedMs: Date.now() - ageMs }
  await root.registry.records.put(sealRecord(newer, root.key).bytes, { source: 'sync' })
  await eventually(() => alarmsOf(root).length > 0)
}

describe('a newer record of this node than it knows of', () => {
  it('from before its start is taken for its own, of a data folder that was put back from a copy', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    await shown(root, 3_600_000)
    expect(alarmsOf(root)).toEqual(['seq_reused'])
    expect(root.registry.alarms.list()[0]?.message).toContain('its data folder was put back from an older copy')
  })

  it('from a time that is still to come is taken for its own, too: it was signed while the clock was ahead', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    await shown(root, -3_600_000)
    expect(alarmsOf(root)).toEqual(['seq_reused'])
  })

  it('from after its start was signed by another process with its key', async () => {
    await using network = await TestNetwork.create()
    const root = network.node('root')
    await shown(root, -1_000)
    expect(alarmsOf(root)).toEqual(['duplicate_key'])
  })
})
