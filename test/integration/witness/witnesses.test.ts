import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { statusText } from '../../../src/cli/output/status-text.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { OutsideWitness } from '../../helpers/servers/outside-witness.ts'

const newest = ({ registry }: TrustNode) => registry.cosignatures.witnessed(1)
/** The newest head is signed by all of so many witnesses, as this node sees it. */
const isWitnessed = (node: TrustNode, by: number): boolean => {
  const witnessed = node.registry.cosignatures.witnessed(by)
  return witnessed?.of === by && witnessed.checkpoint.value.n === node.registry.replica.head.n
}
const all = async (network: TestNetwork, by: number): Promise<void> =>
  await eventually(
    () => network.nodes.every((node) => isWitnessed(node, by)),
    undefined,
    () => network.nodes.map((node) => ` ${node.config.name}: ${JSON.stringify(newest(node)?.by)}`)
  )

it('three secondaries sign each head, and every member hears of it', async () => {
  await using network = await TestNetwork.create()
  for (const name of ['one', 'two', 'three']) await network.join(name, { role: 'secondary' })
  const member = await network.join('member')
  await all(network, 3)
  await network.join('another')
  await all(network, 3)
  const view = await member.control.status()
  expect(view.sync.witnessed).toMatchObject({ head: member.registry.replica.head.n, by: 3, of: 3, needed: 0 })
  expect(statusText(view, (_, text) => text, Date.now())).toMatch(
    /head \d+ witnessed by 3 of 3, \d+\.\d s after it was/
  )
})

it('a witness goes on after a restart from the place that it has signed', async () => {
  await using network = await TestNetwork.create()
  const second = await network.join('second', { role: 'secondary' })
  await all(network, 1)
  const mark = dataFiles(second.config.paths.data).witness
  const before: { n: number } = JSON.parse(readFileSync(mark, 'utf8'))
  await second.stop()
  network.nodes.splice(network.nodes.indexOf(second), 1)
  await network.start('second', { role: 'secondary', 'bootstrap.peers': [network.address('root')] })
  await network.join('member')
  await all(network, 1)
  const after: { n: number } = JSON.parse(readFileSync(mark, 'utf8'))
  expect(after.n).toBeGreaterThan(before.n)
})

it.each([true, false])('a member that the policy names signs, and is heard (gossip: %s)', async (gossip) => {
  await using network = await TestNetwork.create({ 'gossip.enabled': gossip })
  await network.join('second', { role: 'secondary' })
  const member = await network.join('member')
  await network.node('root').registry.admission.changePolicy({ witnessKeys: [member.key.publicKey] })
  await all(network, 1)
})

it('a witness outside of the network counts by the lines that it adds to notes', async () => {
  const outside = new OutsideWitness('witness.example.org/w1')
  const other = new OutsideWitness('witness.example.org/w2')
  await using network = await TestNetwork.create()
  const root = network.node('root')
  const member = await network.join('member')
  await root.control.setPolicy({ witnessKeys: [outside.verifierKey], witnesses: 1 })
  const cosigned = async (by: OutsideWitness): Promise<string> => {
    const { note } = await root.control.checkpoint({ note: true })
    return by.sign(note ?? '', Math.floor(Date.now() / 1_000))
  }
  expect(root.registry.finality.provisionalSinceMs).toBeDefined()
  await expect(root.control.witnessLines({ note: await cosigned(other) })).rejects.toThrow(/no line of a witness/)
  const note = await cosigned(outside)
  await expect(member.control.witnessLines({ note })).rejects.toThrow(/give the note to the root or a secondary/)
  // The last letter before == has two bits that count.
  const wrong = note.replace(/([^=])(=*)\n$/, (_, last, end) => `${last === 'A' ? 'Q' : 'A'}${end}\n`)
  await expect(root.control.witnessLines({ note: wrong })).rejects.toThrow(/is not of the checkpoint/)
  await expect(root.control.witnessLines({ note: note.replace('epoch 0', 'epoch 1') })).rejects.toThrow(/no checkpoint/)
  await expect(root.control.witnessLines({ note })).resolves.toMatchObject({ by: 1, needed: 1 })
  await eventually(() =>
    network.nodes.every(({ registry: { finality, replica } }) => finality.place.n === replica.head.n)
  )
  const { lines } = await member.control.metrics()
  expect(lines).toContain('trustnet_witnesses_needed 1')
})
