import { describe, expect, it } from 'vitest'
import {
  type NodeRecord,
  openRecord,
  readStoredRecord,
  recordBytes,
  sealRecord
} from '../../../../src/registry/objects/record.ts'
import { servicesBytes, sortedServices } from '../../../../src/registry/objects/service.ts'
import { InvalidPayloadError } from '../../../../src/runtime/errors.ts'
import { aRecord, keyOf, networkId, serviceNamed } from '../../../helpers/signed-objects.ts'

const short = new Uint8Array(31)

describe('services and relays of a record', () => {
  const bad: [string, Partial<NodeRecord>][] = [
    ['17 services', { services: Array.from({ length: 17 }, (_, index) => serviceNamed(`s${100 + index}`)) }],
    ['services that do not ascend', { services: [serviceNamed('b'), serviceNamed('a')] }],
    ['a service twice', { services: [serviceNamed('a'), serviceNamed('a')] }],
    ...['', 'x'.repeat(64), 'Web', 'caf\u00e9', '<b>', 'a.b', '-a'].map((name): [string, Partial<NodeRecord>] => [
      `a service '${name}'`,
      { services: [serviceNamed(name)] }
    ]),
    ['a service on port 0', { services: [{ ...serviceNamed('a'), port: 0 }] }],
    ['a service on port 70000', { services: [{ ...serviceNamed('a'), port: 70_000 }] }],
    ['a libp2p service with a port', { services: [{ ...serviceNamed('a'), protocol: 'libp2p' }] }],
    ['a service of a protocol that has no number', { services: [{ ...serviceNamed('a'), protocol: 'unknown' }] }],
    ['9 tags of a service', { services: [{ ...serviceNamed('a'), tags: 'abcdefghi'.split('') }] }],
    ['tags of a service that do not ascend', { services: [{ ...serviceNamed('a'), tags: ['b', 'a'] }] }],
    ['a tag of a service that is empty', { services: [{ ...serviceNamed('a'), tags: [''] }] }],
    ['5 relayKeys', { relayKeys: [5, 6, 7, 8, 9].map((each) => keyOf(each).publicKey) }],
    ['a relay twice', { relayKeys: [keyOf(5).publicKey, keyOf(5).publicKey] }],
    ['itself as a relay', { relayKeys: [keyOf(4).publicKey] }],
    ['a short key of a relay', { relayKeys: [short] }],
    ['a maintenance that never began', { maintenance: { sinceMs: 0, reason: '' } }],
    ['65 characters of a reason', { maintenance: { sinceMs: 1, reason: 'x'.repeat(65) } }],
    ['a reason with control characters', { maintenance: { sinceMs: 1, reason: '\u001b[2J' } }]
  ]

  it.each(bad)('with %s is not sealed', (_, change) => {
    expect(() => sealRecord({ ...aRecord, ...change }, keyOf(4))).toThrow(InvalidPayloadError)
  })

  it('are sealed in one order, and open as they were', () => {
    const services = sortedServices([
      { name: 'web', port: 443, protocol: 'tcp', tags: ['b', 'a', 'b'], state: 'failing' },
      { name: 'files', port: 0, protocol: 'libp2p', tags: [], state: 'maintenance' }
    ])
    const relayKeys = [keyOf(9).publicKey, keyOf(8).publicKey]
    const { bytes } = sealRecord({ ...aRecord, services, relayKeys }, keyOf(4))
    expect(openRecord(bytes, networkId).value).toEqual({
      ...aRecord,
      relayKeys,
      services: [
        { name: 'files', port: 0, protocol: 'libp2p', tags: [], state: 'maintenance' },
        { name: 'web', port: 443, protocol: 'tcp', tags: ['a', 'b'], state: 'failing' }
      ]
    })
  })

  it('says of a maintenance since when and why, and its bytes are known before it is signed', () => {
    for (const reason of ['', 'new disk', '漢'.repeat(64)]) {
      const record = { ...aRecord, maintenance: { sinceMs: 1_700_000_000_000, reason } }
      const { bytes } = sealRecord(record, keyOf(4))
      expect(openRecord(bytes, networkId).value).toEqual(record)
      expect(readStoredRecord(bytes)).toEqual(record)
      expect(recordBytes(record)).toBe(bytes.length)
    }
    const { bytes } = sealRecord(aRecord, keyOf(4))
    const more = sealRecord({ ...aRecord, services: [...aRecord.services, serviceNamed('www')] }, keyOf(4))
    expect(servicesBytes([serviceNamed('www')])).toBeGreaterThanOrEqual(more.bytes.length - bytes.length)
  })
})
