import { expect, test } from 'vitest'
import { keyNumber } from '../../../helpers/log-network.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { bytesOf, signedBy } from '../../../helpers/registry/publisher.ts'

test('what is published at the root carries the order of its operator, what a member signs does not', async () => {
  await using network = await RealNetwork.create()
  const ann = await network.admit('ann')
  await network.root.root?.append([{ kind: 'publisher', body: { publicKey: ann.publicKey, removed: false } }])
  const publish = (content: string) =>
    network.root.documents.publish({ id: 'plan', mediaType: 'text/plain', bytes: bytesOf(content) })
  const operator = keyNumber(77)
  const by = async (): Promise<number[]> => {
    const found = await network.root.documents.history('plan')
    return found.map(({ value }) => value.orders?.length ?? 0)
  }
  await network.root.close()
  await network.startRoot({ root: { operatorKey: operator } })
  await publish('before there is an operator')
  const { orders } = network.root.admission
  await orders.operators.add('op', operator.publicKey, orders.author())
  await publish('by op')
  await network.root.documents.submit(signedBy(network, ann, 'by ann', { documentVersion: 3 }))
  expect(await by()).toEqual([0, 1, 0])
  await network.root.close()
  await network.startRoot()
  await publish('without the key')
  expect(await by()).toEqual([0, 1, 0, 0])
})
