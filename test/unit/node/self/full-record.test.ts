import { concat } from 'uint8arrays/concat'
import { describe, expect, it } from 'vitest'
import { SelfRecord } from '../../../../src/node/self/record.ts'
import { maxServicesBytes } from '../../../../src/node/services/offered.ts'
import { domains, openEnvelope, seal } from '../../../../src/registry/objects/envelope.ts'
import {
  maxAddrs,
  maxMaintenanceChars,
  maxTags,
  type NodeRecord,
  openRecord,
  recordBytes,
  sealRecord
} from '../../../../src/registry/objects/record.ts'
import { maxRecordStores } from '../../../../src/registry/objects/record-additions.ts'
import { maxServices, type Service, servicesBytes } from '../../../../src/registry/objects/service.ts'
import { systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { aRecord, keyOf, networkId } from '../../../helpers/signed-objects.ts'

const mostBytes = domains.nodeRecord.maxBytes

/** As many services as a record has, with names as long as a configuration may give them. */
const fullServices = (): Service[] => {
  const ofLength = (length: number): Service[] =>
    Array.from({ length: maxServices }, (_, n) => ({
      name: `${10 + n}`.padEnd(length, 'x'),
      port: 65_535,
      protocol: 'udp',
      tags: n === 0 ? ['production'] : [],
      state: 'maintenance'
    }))
  let services = ofLength(2)
  for (let length = 3; servicesBytes(ofLength(length)) <= maxServicesBytes; length++) services = ofLength(length)
  return services
}

describe('a record in which everything is as large as it may be', () => {
  const services = fullServices()
  const stores = Array.from({ length: maxRecordStores }, (_, n) => ({
    name: `${n}`.repeat(63),
    digest: new Uint8Array(32).fill(n)
  }))
  const maintenance = { sinceMs: 1_790_000_000_000, reason: '漢'.repeat(maxMaintenanceChars) }
  let saved: Uint8Array | undefined
  const started = (offers: { services: Service[] }): SelfRecord =>
    new SelfRecord({
      networkId,
      key: keyOf(4),
      role: 'secondary',
      software: 'trustnet/10.20.30-rc.1',
      addrs: () => Array.from({ length: maxAddrs }, (_, n) => `/ip6/2001:db8:1:2:3:4:5:${n + 1}/tcp/65535`),
      clock: systemClock,
      offers: () => ({ ...offers, maintenance, stores }),
      store: {
        load: () => saved,
        save: async (envelope) => {
          saved = envelope
        }
      }
    })

  it('is signed, names all services and where the node is, and is right also after a restart', async () => {
    expect(servicesBytes(services)).toBeGreaterThan(maxServicesBytes - maxServices)
    const record = started({ services })
    const { bytes } = await record.issue({ registryKey: keyOf(5).publicKey, reach: 'direct' })
    expect(bytes.length).toBeLessThanOrEqual(mostBytes)
    const { value } = openRecord(bytes, networkId)
    expect(value.services).toEqual(services)
    expect(value.addrs.length).toBeGreaterThan(0)
    expect(value).toMatchObject({ registryKey: keyOf(5).publicKey, reach: 'direct', roles: ['secondary'] })
    expect([record.isRight, started({ services }).isRight]).toEqual([true, true])
  })

  it('has room for its stores again when there are fewer services', async () => {
    const { value } = await started({ services: services.slice(0, 1) }).issue()
    expect(value.services).toHaveLength(1)
    expect(value.addrs.length).toBeGreaterThan(1)
  })
})

describe('a record of 1,024 bytes', () => {
  /** One with tags that bring it to so many bytes. */
  const ofBytes = (bytes: number): NodeRecord => {
    for (let count = 0; count < maxTags; count++) {
      for (let length = 1; length <= 64; length++) {
        const tags = [...Array.from({ length: count }, () => 'x'.repeat(64)), 'y'.repeat(length)]
        for (const software of ['v1', 'v1.0', 'v1.0.0']) {
          const record = { ...aRecord, tags, software }
          if (recordBytes(record) === bytes) return record
        }
      }
    }
    throw new Error(`no record has ${bytes} bytes`)
  }

  it('is taken, and one more is neither signed nor taken', () => {
    const { bytes, value } = sealRecord(ofBytes(mostBytes), keyOf(4))
    expect(bytes).toHaveLength(mostBytes)
    expect(openRecord(bytes, networkId).value).toEqual(value)
    expect(() => sealRecord(ofBytes(mostBytes + 1), keyOf(4))).toThrow('bytes')
    const { payload } = openEnvelope(domains.nodeRecord, bytes)
    // A field of a newer version, which a smaller record may have.
    const more = concat([payload, Uint8Array.of(0x88, 1, 5)])
    const larger = seal({ ...domains.nodeRecord, maxBytes: 2 * mostBytes }, more, keyOf(4))
    expect(() => openRecord(larger, networkId)).toThrow('bytes')
    const smaller = openEnvelope(domains.nodeRecord, sealRecord(ofBytes(mostBytes - 8), keyOf(4)).bytes).payload
    const taken = seal(domains.nodeRecord, concat([smaller, Uint8Array.of(0x88, 1, 5)]), keyOf(4))
    expect(openRecord(taken, networkId).value.seq).toBe(aRecord.seq)
  })
})
