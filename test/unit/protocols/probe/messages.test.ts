import { expect, test } from 'vitest'
import { encodeAddr } from '../../../../src/address/multiaddr.ts'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { encodeTold, toldOf } from '../../../../src/protocols/probe/messages.ts'
import { ProbeAnswer } from '../../../../src/protocols/probe/pb/probe.ts'

const addr = '/ip6/2001:db8::1/tcp/9000'
const [one, two] = [SigningKey.generate().publicKey, SigningKey.generate().publicKey]
const said = (publicKey: Uint8Array) => ({
  publicKey,
  addrs: [
    {
      addr,
      words: [
        { prober: two, failure: undefined, agoMs: 5, tookMs: 2 },
        { prober: one, failure: 'noRoute', agoMs: 0, tookMs: 0 } as const
      ]
    }
  ]
})

test('what members said comes as it was told', () => {
  const bytes = encodeTold([said(one)], 10_000)
  expect(toldOf(ProbeAnswer.decode(bytes))).toEqual({ members: [said(one)], left: 0 })
})

test('an answer holds as many members as fit and counts the others, and what it says is no longer than that', () => {
  const bytes = encodeTold(
    Array.from({ length: 100 }, () => said(one)),
    4_096
  )
  const { members, left } = toldOf(ProbeAnswer.decode(bytes))
  expect(bytes.byteLength).toBeLessThanOrEqual(4_096)
  expect(members.length + left).toBe(100)
  expect(members.length).toBeGreaterThan(10)
})

test('what is no key or no address is left out, a failure of a newer version is any other, and more than a record has is cut', () => {
  const word = { prober: two, outcome: 2, failure: 99, agoMs: 1, tookMs: 1 }
  const addrs = [
    { addr: Uint8Array.of(1, 2, 3), words: [word] },
    ...Array.from({ length: 20 }, () => ({ addr: encodeAddr(addr), words: Array.from({ length: 40 }, () => word) }))
  ]
  const bytes = ProbeAnswer.encode({
    status: 0,
    outcome: 1,
    members: [
      { publicKey: one, addrs },
      { publicKey: Uint8Array.of(1), addrs: [] }
    ]
  })
  const { members } = toldOf(ProbeAnswer.decode(bytes))
  expect(members).toHaveLength(1)
  expect(members[0]?.addrs).toHaveLength(7)
  expect(members[0]?.addrs[0]?.words).toHaveLength(16)
  expect(members[0]?.addrs[0]?.words[0]?.failure).toBe('other')
})
