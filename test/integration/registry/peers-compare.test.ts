import { expect, it } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

const compared = async (node: TrustNode, ...names: string[]) => {
  const view = await node.control.compare({ with: names.join(',') })
  return {
    sources: view.sources.map(({ name, error, members }) => ({ name, error, members })),
    rows: view.rows.map(({ name, differs, sides }) => ({
      name,
      differs,
      sides: sides.map(({ source, member, seq }) => `${source.name} ${member ? (seq ?? '-') : 'no member'}`)
    }))
  }
}

it('names the members about whom views differ, with both sides, and says whose view is missing', async () => {
  await using network = await TestNetwork.create({ 'replication.backoffMax': '2s' })
  const root = network.node('root')
  const keeper = await network.join('keeper', { role: 'secondary' })
  const hal = await network.join('hal')
  const all = [root, keeper, hal]
  await eventually(() => all.every((node) => node.registry.records.count() === 3))
  // A record that is signed meanwhile makes them differ for a moment.
  await eventually(async () => (await compared(hal, 'root', 'secondary', 'self')).rows.length === 0)
  const same = await compared(hal, 'root', 'secondary', 'self')
  expect(same.sources.map(({ name, error }) => [name, error])).toEqual([
    ['root', null],
    ['keeper', null],
    ['hal', null]
  ])

  // A registry that shows an older record of one member, and does not know another one any more.
  const lookup = keeper.registry.lookup.bind(keeper.registry)
  const held = hal.registry.records.get(hal.key.publicKey)
  await hal.attached.self.publish({ reach: 'direct' })
  await eventually(() => root.registry.records.read(hal.key.publicKey)?.seq !== held?.seq)
  keeper.registry.lookup = (query) => {
    const page = lookup(query)
    const rows = page.rows.flatMap((row) => {
      if (Buffer.compare(row.publicKey, root.key.publicKey) === 0) return []
      return Buffer.compare(row.publicKey, hal.key.publicKey) === 0 ? [{ ...row, record: held?.envelope }] : [row]
    })
    return { ...page, rows }
  }
  await eventually(async () => (await compared(hal, 'keeper', 'self')).rows.length === 2)
  const seq = hal.registry.records.read(hal.key.publicKey)?.seq
  expect((await compared(hal, 'keeper', 'self')).rows).toEqual([
    { name: 'hal', differs: expect.arrayContaining(['record']), sides: [`keeper ${held?.seq}`, `hal ${seq}`] },
    { name: 'root', differs: ['member'], sides: ['keeper no member', expect.stringMatching(/^hal \d+$/)] }
  ])

  await keeper.stop('the test wants it gone')
  const without = await compared(hal, 'root', 'keeper', 'self')
  expect(without.sources[1]).toMatchObject({ name: 'keeper', members: null, error: expect.stringContaining('keeper') })
  await expect(compared(hal, 'nobody', 'self')).rejects.toMatchObject({ name: 'NotFoundError' })
  await expect(compared(hal, 'hal', 'self')).rejects.toMatchObject({ name: 'InvalidPayloadError' })
})
