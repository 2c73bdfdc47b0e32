import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatIp6, parseIp6 } from '../../../../src/address/ipv6.ts'
import { decodeAnnounce, decodeMap, encodeMap, type MapRequest } from '../../../../src/node/pinhole/pcp-messages.ts'
import { pcpAnswer } from '../../../helpers/servers/pcp-server.ts'

const ip = (text: string): Uint8Array => parseIp6(text) ?? new Uint8Array()

const request: MapRequest = {
  address: ip('2001:db8::5'),
  port: 9_000,
  nonce: Uint8Array.from({ length: 12 }, (_, at) => at + 1),
  lifetimeSeconds: 3_600
}

const sent = Buffer.from(encodeMap(request))

describe('a request', () => {
  test('is that of RFC 6887, 11.1', () => {
    const address = '20010db8000000000000000000000005'
    expect(sent.toString('hex')).toBe(
      ['02010000', '00000e10', address, '0102030405060708090a0b0c', '06000000', '2328', '2328', address].join('')
    )
  })
})

describe('an answer', () => {
  test('says for how long, and where', () => {
    const answer = decodeMap(pcpAnswer(sent, { lifetime: 1_800, epoch: 77 }), request)
    expect(answer).toMatchObject({ refusal: undefined, lifetimeSeconds: 1_800, epochSeconds: 77, port: 9_000 })
    expect(formatIp6(answer?.address ?? new Uint8Array())).toBe('2001:db8::5')
  })

  test.each([
    [2, 'it allows no pinholes here'],
    [8, 'it has no room for more'],
    [200, 'it refuses with code 200']
  ])('of code %s says why', (code, refusal) => {
    expect(decodeMap(pcpAnswer(sent, { code, lifetime: 30 }), request)).toMatchObject({ refusal, lifetimeSeconds: 30 })
  })

  const changed = (at: number, byte: number): Buffer => {
    const bytes = pcpAnswer(sent)
    bytes[at] = byte
    return bytes
  }

  test.each([
    ['the request itself', sent],
    ['another version', changed(0, 1)],
    ['another opcode', changed(1, 0x82)],
    ['another nonce', changed(24, 99)],
    ['another protocol', changed(36, 17)],
    ['another port', changed(41, 1)],
    ['a part of it', pcpAnswer(sent).subarray(0, 56)],
    ['a length that is no multiple of four', Buffer.concat([pcpAnswer(sent), Buffer.alloc(1)])],
    ['more than a message has', Buffer.concat([pcpAnswer(sent), Buffer.alloc(1_044)])]
  ])('that is %s is none', (_, bytes) => {
    expect(decodeMap(bytes, request)).toBeUndefined()
  })

  test('is read from any bytes without a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => {
        decodeMap(bytes, request)
        decodeAnnounce(bytes)
      })
    )
  })
})

test('what a router says unasked has the seconds that it counts', () => {
  const bytes = Buffer.alloc(24)
  bytes.set([2, 0x80])
  bytes.writeUInt32BE(5, 8)
  expect(decodeAnnounce(bytes)).toBe(5)
  expect(decodeAnnounce(bytes.subarray(0, 20))).toBeUndefined()
  expect(decodeAnnounce(pcpAnswer(sent))).toBeUndefined()
})
