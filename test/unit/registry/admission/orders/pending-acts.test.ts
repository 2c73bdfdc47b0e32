import { describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../../src/identity/keys.ts'
import { payloadHash } from '../../../../../src/registry/objects/envelope.ts'
import type { Registry } from '../../../../../src/registry/registry.ts'
import {
  ChangedMeanwhileError,
  JoinRejectedError,
  NotFoundError,
  NotOperatorError,
  PendingError
} from '../../../../../src/runtime/errors.ts'
import { approved } from '../../../../helpers/operator-orders.ts'
import { day, RealNetwork } from '../../../../helpers/real-network.ts'

const names = ({ admission }: Registry): string[] => admission.pending().map(({ name }) => name)

describe('joins that wait, as an operator elsewhere sees them', () => {
  it('are those of the last week, and are refused by the hash of what was asked', async () => {
    await using network = await RealNetwork.create()
    const { admission } = network.root
    const old = network.wish({ name: 'old' })
    await expect(admission.join(old)).rejects.toThrow(PendingError)
    network.clock.advance(8 * day)
    expect(admission.orders.waiting()).toEqual([])
    const key = SigningKey.generate()
    const asked = network.wish({ key, name: 'ann' })
    await expect(admission.join(asked)).rejects.toThrow(PendingError)
    const acts = admission.orders.waiting().flatMap((each) => each.acts)
    expect(acts.map(({ body }) => Buffer.from(body))).toEqual([Buffer.from(asked.join)])
    await expect(admission.orders.rejectJoin(payloadHash(old.join), 'too late')).rejects.toThrow(NotFoundError)
    await admission.orders.rejectJoin(payloadHash(asked.join), 'who is it?')
    await expect(admission.join(asked)).rejects.toThrow(JoinRejectedError)
    expect(names(network.root)).toEqual([])
  })

  it('are let in by an order for the very request that waits, and for no other one', async () => {
    await using network = await RealNetwork.create()
    const { admission, root } = network.root
    const [ann, key] = [SigningKey.generate(), SigningKey.generate()]
    await root?.append([{ kind: 'operator', body: { publicKey: ann.publicKey, name: 'ann', removed: false } }])
    const first = network.wish({ key, name: 'box' })
    await expect(admission.join(first)).rejects.toThrow(PendingError)
    const changed = network.wish({ key, name: 'other-box' })
    await expect(admission.join(changed)).rejects.toThrow(PendingError)
    const from = network.rootKey.publicKey
    await expect(admission.orders.submit([approved(network, ann, first.join)], from)).rejects.toThrow(
      ChangedMeanwhileError
    )
    expect(names(network.root)).toEqual(['other-box'])
    const [entry] = await admission.orders.submit([approved(network, ann, changed.join)], from)
    expect(entry?.value).toMatchObject({ kind: 'admit', body: { name: 'other-box', via: 'approved' } })
    expect(names(network.root)).toEqual([])
    const again = approved(network, key, changed.join)
    await expect(admission.orders.submit([again], from)).rejects.toThrow(NotOperatorError)
  })
})
