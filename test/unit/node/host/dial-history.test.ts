import { expect, test } from 'vitest'
import { DialHistory } from '../../../../src/node/host/dial-history.ts'

const address = '/ip6/2001:db8::1/tcp/9000'
const dial = (atMs: number, peerId?: string) => ({ atMs, tookMs: 1, peerId })

test('the last dials of an address are remembered, with what kept each from its peer', () => {
  const dials = new DialHistory()
  for (let at = 1; at <= 9; at++) dials.add(`${address}/p2p/hal`, dial(at))
  dials.add(`${address}/p2p/hal`, { ...dial(10), error: new Error('x'.repeat(1000)) })
  const found = dials.of(address, 'hal')
  expect(found.map(({ atMs }) => atMs)).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
  expect(found.at(-1)?.error).toHaveLength(200)
  expect(dials.of('/ip6/::1/tcp/1', 'hal')).toEqual([])
})

test('what was dialled for somebody else is not told, what was dialled for anybody is', () => {
  const dials = new DialHistory()
  dials.add(`${address}/p2p/hal`, dial(1))
  dials.add(address, { ...dial(2), error: new Error('refused') })
  dials.add(address, dial(3, 'bob'))
  expect(dials.of(address, 'bob').map(({ atMs }) => atMs)).toEqual([2, 3])
})

test('the addresses that were dialled last are remembered', () => {
  const dials = new DialHistory()
  dials.add(address, dial(1))
  for (let port = 1; port <= 1024; port++) dials.add(`/ip6/::1/tcp/${port}`, dial(2))
  expect(dials.of(address, 'hal')).toEqual([])
  expect(dials.of('/ip6/::1/tcp/1', 'hal')).toHaveLength(1)
})
