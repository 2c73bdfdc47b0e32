import { expect, test } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork } from '../../helpers/registry/kit-network.ts'

const publish = (node: TrustNode, id: string, content: string) =>
  node.control.publishDocument({ id, mediaType: 'text/plain', content: Buffer.from(content).toString('base64') })

const holds = (node: TrustNode, version: number): Promise<void> =>
  eventually(() => node.documents.list().some((row) => row.id === 'plan' && row.version === version && row.held))

const contentAt = async (node: TrustNode): Promise<string> =>
  Buffer.from((await node.documents.get('plan')).bytes).toString()

test('a secondary that is promoted has the documents; a root on a new machine has them from any member', async () => {
  await using network = await KitNetwork.create()
  const former = network.node('root')
  const keeper = await network.join('keeper', { role: 'secondary' })
  const hal = await network.join('hal')
  await publish(former, 'plan', 'first')
  for (const node of [keeper, hal]) await holds(node, 1)
  await eventually(() => hal.registry.replica.state.registry(keeper.key.publicKey) !== undefined)
  const { port } = keeper.attached
  await former.stop()
  await keeper.stop()
  await becomeRoot(network.promotion('keeper'))
  const promoted = await network.start('keeper', { role: 'root', 'listen.port': port })
  promoted.registry.root?.release()
  expect(await contentAt(promoted)).toBe('first')
  expect(await publish(promoted, 'plan', 'second')).toMatchObject({ version: 2, state: 'published' })
  await holds(hal, 2)

  await promoted.stop()
  const flags = { 'bootstrap.peers': [network.address('hal')] }
  await becomeRoot(network.recovery('fresh', flags))
  const fresh = await network.start('fresh', { role: 'root', ...flags })
  fresh.registry.root?.release()
  await holds(fresh, 2)
  expect(await contentAt(fresh)).toBe('second')
  expect(await publish(fresh, 'plan', 'third')).toMatchObject({ version: 3 })
  await holds(hal, 3)
})
