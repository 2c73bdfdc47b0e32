import { describe, expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { lastPeerId, lookupPins, narrowPins } from '../../../src/dns/pins.ts'
import { digLine, wantedRecords, zoneLine } from '../../../src/dns/records.ts'
import { Zone } from '../../../src/dns/zone.ts'

const expected = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const attacker = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8'

describe('pins from DNS', () => {
  it('the last /p2p component counts, also behind a relay', () => {
    expect(lastPeerId(`dnsaddr=/ip6/2001:db8::1/tcp/8000/p2p/${expected}`)).toBe(expected)
    expect(lastPeerId(`dnsaddr=/ip6/2001:db8::1/tcp/8000/p2p/${expected}/p2p-circuit/p2p/${attacker}`)).toBe(attacker)
    expect(lastPeerId(`dnsaddr=/ip6/2001:db8::1/tcp/8000/p2p/${expected}/p2p-circuit`)).toBeUndefined()
  })

  it.each([
    '',
    'dnsaddr=',
    'dnsaddr=/p2p/',
    'dnsaddr=/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    `v=spf1 /p2p/${expected}`
  ])("'%s' names no key", (text) => expect(lastPeerId(text)).toBeUndefined())

  it('are read from TXT records, with what is wrong among them', async () => {
    const zone = new Zone('example.test')
    const good = `dnsaddr=/dns6/tnr.example.test/tcp/8000/p2p/${expected}`
    zone.set(
      '_dnsaddr.tnr.example.test',
      [good, good, 'dnsaddr=/nonsense'].map((value) => ({ type: 'TXT', value }))
    )
    zone.set('_dnsaddr.tnr.bad.example.test', [{ type: 'TXT', value: 'x' }])
    await using authority = await Authority.start(zone)
    const options = { servers: [authority.address], timeoutMs: 2000 }
    expect(await lookupPins('example.test', options)).toEqual({
      kind: 'found',
      peerIds: [expected],
      rejected: ['dnsaddr=/nonsense']
    })
    expect(await lookupPins('bad.example.test', options)).toMatchObject({ kind: 'bad-answer' })
    expect(await lookupPins('none.example.test', options)).toMatchObject({ kind: 'no-domain' })
  })

  it('only narrow: they never add a key, and naming none of ours changes nothing', () => {
    expect(narrowPins([expected, attacker], [expected])).toEqual([expected])
    expect(narrowPins([expected], [attacker])).toEqual([expected])
    expect(narrowPins([], [attacker])).toEqual([])
  })
})

describe('records to publish', () => {
  it('are AAAA and TXT lines that a zone file takes, and that are read back as pins', () => {
    const records = wantedRecords({ domain: 'example.org', addresses: ['2001:db8::1'], peerIds: [expected] })
    expect(records.map(zoneLine)).toEqual([
      'tnr.example.org. 300 IN AAAA 2001:db8::1',
      `_dnsaddr.tnr.example.org. 300 IN TXT "dnsaddr=/dns6/tnr.example.org/tcp/8000/p2p/${expected}"`
    ])
    expect(lastPeerId(records[1]?.value ?? '')).toBe(expected)
    expect(digLine('example.org')).toBe('dig +noall +answer AAAA tnr.example.org')
  })
})
