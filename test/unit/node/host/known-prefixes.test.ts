import { expect, onTestFinished, test, vi } from 'vitest'
import { prefix64 } from '../../../../src/address/prefix.ts'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { KnownPrefixes } from '../../../../src/node/host/known-prefixes.ts'
import { type MemberView, unheardView } from '../../../../src/registry/liveness/view.ts'

const of = (network: string): string => prefix64(`fd00:${network}::5`) ?? ''
const from = (network: string): string => `/ip6/fd00:${network}::77/tcp/50123`
const over = (views: MemberView[] = [], wallMs?: number): KnownPrefixes => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of liveness is looked at
  const liveness = { views: () => views } as unknown as ConstructorParameters<typeof KnownPrefixes>[0]['liveness']
  return new KnownPrefixes({ liveness }, wallMs)
}

test('knows where members proved themselves, of each the last two prefixes', () => {
  const prefixes = over()
  for (const network of ['1:1:1', '1:1:2', '1:1:1', '1:1:3']) prefixes.seen('a', from(network))
  expect(['1:1:1', '1:1:2', '1:1:3'].map((network) => prefixes.has(of(network)))).toEqual([true, false, true])
  prefixes.seen('b', from('1:1:1'))
  prefixes.seen('a', from('1:1:4'))
  expect(prefixes.has(of('1:1:1'))).toBe(true)
  prefixes.seen('c', 'no address')
})

test('begins with where members were dialled in the last 24 h, and with nothing that a record says', () => {
  const wallMs = 1_800_000_000_000
  const { publicKey } = SigningKey.generate()
  const seen = { ...unheardView(publicKey), lastAddress: from('1:1:1'), lastConnectedMs: wallMs - 3_600_000 }
  const old = { ...unheardView(SigningKey.generate().publicKey), lastAddress: from('1:1:2'), lastConnectedMs: 1 }
  const prefixes = over([seen, old], wallMs)
  expect([prefixes.has(of('1:1:1')), prefixes.has(of('1:1:2'))]).toEqual([true, false])
  expect(peerIdText(publicKey)).toMatch(/^12D3/)
})

test('forgets after 24 h also where a member was seen by a clock that was years ahead', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const wallMs = 1_800_000_000_000
  const { publicKey } = SigningKey.generate()
  const ahead = { ...unheardView(publicKey), lastAddress: from('1:1:1'), lastConnectedMs: 2 * wallMs }
  const prefixes = over([ahead], wallMs)
  expect(prefixes.has(of('1:1:1'))).toBe(true)
  vi.advanceTimersByTime(25 * 3_600_000)
  expect(prefixes.has(of('1:1:1'))).toBe(false)
})

test('knows no prefix of links, which all machines of a link share', () => {
  const prefixes = over()
  prefixes.seen('a', '/ip6/fe80::77/tcp/50123')
  expect(prefixes.has(prefix64('fe80::1') ?? '')).toBe(false)
})
