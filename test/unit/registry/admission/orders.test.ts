import { expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { EntryDraft } from '../../../../src/registry/log/log-writer.ts'
import { type Act, actOf, digestOf } from '../../../../src/registry/objects/orders/act.ts'
import { sealOrder } from '../../../../src/registry/objects/orders/order.ts'
import { InvalidPayloadError, NotOperatorError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

it('a root without the key of an operator enters what operators sign elsewhere, each order once', async () => {
  await using network = await RealNetwork.create()
  const { admission, replica, root } = network.root
  const ann = SigningKey.generate()
  const entered = { publicKey: ann.publicKey, name: 'ann', removed: false }
  await root?.append([{ kind: 'operator', body: entered }])
  await expect(admission.invite({ role: 'integrated' })).rejects.toThrow(NotOperatorError)

  const signed = (content: EntryDraft, key = ann): Act => {
    const act = actOf(content)
    const { epoch, n: seenN } = replica.head
    const told = { networkId: network.root.networkId, kind: act.kind, digest: digestOf(act), epoch, seenN }
    return { ...act, order: sealOrder({ ...told, timeMs: network.clock.now() }, key).bytes }
  }
  const policy: EntryDraft = { kind: 'policy', body: { ...replica.state.policy, grantUses: 7 } }
  const act = signed(policy)
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

  const other = signed(policy, SigningKey.generate())
  await expect(admission.orders.submit([other], from)).rejects.toThrow(NotOperatorError)
  for (const acts of [[], [act, act, act, act, act], [act, other]]) {
    await expect(admission.orders.submit(acts, from)).rejects.toThrow(InvalidPayloadError)
  }
})
