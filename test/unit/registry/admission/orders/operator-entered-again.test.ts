import { expect, it } from 'vitest'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import { ChangedMeanwhileError } from '../../../../../src/runtime/errors.ts'
import { ordered } from '../../../../helpers/operator-orders.ts'
import { RealNetwork } from '../../../../helpers/real-network.ts'

it('an order to enter an operator is void when that one was entered and removed since it was signed', async () => {
  const [ann, ben, eve] = [SigningKey.generate(), SigningKey.generate(), SigningKey.generate()]
  await using network = await RealNetwork.create({}, { root: { operatorKey: ann } })
  const { orders } = network.root.admission
  const { operators } = orders
  const author = orders.author()
  await operators.add('ann', ann.publicKey, author)
  await operators.add('ben', ben.publicKey, author)
  const early = ordered(network, ann, {
    kind: 'operator',
    body: { publicKey: eve.publicKey, name: 'eve', removed: false }
  })
  await operators.add('eve', eve.publicKey, author)
  await operators.remove(operators.find('eve'), author)
  await expect(orders.submit([early], network.rootKey.publicKey)).rejects.toThrow(ChangedMeanwhileError)
  await operators.add('eve', eve.publicKey, author)
})
