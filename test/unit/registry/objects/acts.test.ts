import { describe, expect, it } from 'vitest'
import { bodyKinds } from '../../../../src/registry/objects/entry-bodies.ts'
import { makeJoin } from '../../../../src/registry/objects/join.ts'
import { type Act, actOf, contentOf, digestOf, openAct } from '../../../../src/registry/objects/orders/act.ts'
import { type Order, sealOrder } from '../../../../src/registry/objects/orders/order.ts'
import { keyOf, networkId, verdict } from '../../../helpers/signed-objects.ts'

const ann = keyOf(21)
const revoke = { kind: 'revoke', body: { publicKey: keyOf(4).publicKey, reason: 'lost', name: 'hal' } } as const
const signed = (act: Omit<Act, 'order'>, changes: Partial<Order> = {}): Act => {
  const told = { networkId, kind: act.kind, digest: digestOf(act), epoch: 0, seenN: 1, timeMs: 1 }
  return { ...act, order: sealOrder({ ...told, ...changes }, ann).bytes }
}

describe('an act', () => {
  it('opens as what was signed, by its operator', () => {
    const act = openAct(signed(actOf(revoke)), networkId)
    expect(act).toMatchObject({ content: revoke, signed: { signer: ann.publicKey } })
  })

  it('that approves is of the join, whatever the root puts beside it', () => {
    const key = keyOf(4)
    const join = makeJoin({ networkId, key, name: 'hal', role: 'external', timeMs: 1 })
    const body = { publicKey: key.publicKey, name: 'hal', role: 'external', via: 'approved', join } as const
    const acts = [1, 2].map((notAfterMs) => actOf({ kind: 'admit', body: { ...body, notAfterMs } }))
    expect(acts[0]).toEqual(acts[1])
    expect(openAct(signed({ kind: 1, body: join }), networkId).content).toEqual({ kind: 'admit', join })
  })

  it('is refused with another kind or digest than its order, and in another network', () => {
    const act = actOf(revoke)
    expect(verdict(() => openAct(signed(act, { kind: 15 }), networkId))).toBe('InvalidPayloadError')
    expect(verdict(() => openAct(signed(act, { digest: new Uint8Array(32) }), networkId))).toBe('InvalidPayloadError')
    expect(verdict(() => openAct(signed(act), new Uint8Array(32)))).toBe('WrongNetworkError')
  })

  it('is refused for kinds that no operator makes, and for bodies of a newer version', () => {
    const renew = { kind: 2, body: new Uint8Array() }
    for (const act of [renew, { kind: 99, body: new Uint8Array() }]) {
      expect(verdict(() => openAct(signed(act), networkId))).toBe('UnsupportedVersionError')
    }
    const newer = Uint8Array.of(...bodyKinds.revoke.encode(revoke.body), 0xb8, 0xbe, 0x3d, 1)
    expect(verdict(() => contentOf({ kind: 3, body: newer }))).toBe('UnsupportedVersionError')
    expect(verdict(() => contentOf({ kind: 3, body: Uint8Array.of(1) }))).toBe('InvalidPayloadError')
  })
})
