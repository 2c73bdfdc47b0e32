import { expect, it } from 'vitest'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import type { EntryDraft } from '../../../../../src/registry/log/log-writer.ts'
import { InvalidPayloadError, NotOperatorError } from '../../../../../src/runtime/errors.ts'
import { ordered } from '../../../../helpers/operator-orders.ts'
import { RealNetwork } from '../../../../helpers/real-network.ts'

it('a root without the key of an operator enters what operators sign elsewhere, each order once', async () => {
  await using network = await RealNetwork.create()
  const { admission, replica, root } = network.root
  const ann = SigningKey.generate()
  const entered = { publicKey: ann.publicKey, name: 'ann', removed: false }
  await root?.append([{ kind: 'operator', body: entered }])
  await expect(admission.invite({ role: 'integrated' })).rejects.toThrow(NotOperatorError)

  const policy: EntryDraft = { kind: 'policy', body: { ...replica.state.policy, grantUses: 7 } }
  const act = ordered(network, ann, policy)
  const from = network.rootKey.publicKey
  const [first, second] = await Promise.all([
    admission.orders.submit([act], from),
    admission.orders.submit([act], from)
  ])
  expect(second).toEqual(first)
  const { n } = replica.head
  expect((await admission.orders.submit([act], from)).map(({ value }) => value.n)).toEqual([n])
  expect(replica.head.n).toBe(n)
  expect(replica.state.policy.grantUses).toBe(7)

  const other = ordered(network, SigningKey.generate(), policy)
  await expect(admission.orders.submit([other], from)).rejects.toThrow(NotOperatorError)
  for (const acts of [[], [act, act, act, act, act], [act, other]]) {
    await expect(admission.orders.submit(acts, from)).rejects.toThrow(InvalidPayloadError)
  }
})
