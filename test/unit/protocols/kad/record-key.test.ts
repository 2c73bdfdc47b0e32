import { fromString } from 'uint8arrays/from-string'
import { describe, expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { publicKeyOfRecordKey, recordKey } from '../../../../src/protocols/kad/record-key.ts'
import { InvalidPayloadError } from '../../../../src/runtime/errors.ts'

const { publicKey } = SigningKey.generate()

describe('keys of the DHT', () => {
  test('a member has one key, and it leads back to the member', () => {
    expect(recordKey(publicKey)).toEqual(fromString(`/trustnet/${peerIdText(publicKey)}`))
    expect(publicKeyOfRecordKey(recordKey(publicKey))).toEqual(publicKey)
  })

  test.each([
    '/pk/abc',
    '/trustnet/',
    '/trustnet/12D3Koo',
    `/trustnet/${peerIdText(publicKey)}/more`,
    `/trustnet/ ${peerIdText(publicKey)}`,
    `trustnet/${peerIdText(publicKey)}`
  ])('refuses %s', (text) => {
    expect(() => publicKeyOfRecordKey(fromString(text))).toThrow(InvalidPayloadError)
  })

  test('refuses another spelling of a PeerId that is somebody’s', async () => {
    const { peerIdFromString } = await import('@libp2p/peer-id')
    const cid = peerIdFromString(peerIdText(publicKey)).toCID().toString()
    expect(() => publicKeyOfRecordKey(fromString(`/trustnet/${cid}`))).toThrow(InvalidPayloadError)
  })
})
