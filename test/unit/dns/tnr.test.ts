import { describe, expect, it } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { lookupTnr } from '../../../src/dns/tnr.ts'
import { Zone, type ZoneRecord } from '../../../src/dns/zone.ts'
import { type Fault, faultyDns } from '../../helpers/servers/faulty-dns.ts'

const domain = 'example.test'

const authorityWith = async (addresses: readonly string[], ttlSeconds = 30): Promise<Authority> => {
  const zone = new Zone(domain, ttlSeconds)
  zone.set(
    `tnr.${domain}`,
    addresses.map((value): ZoneRecord => ({ type: 'AAAA', value }))
  )
  return await Authority.start(zone)
}

const asked = (authority: { address: string }) => ({ servers: [authority.address], timeoutMs: 2000 })

describe('lookupTnr', () => {
  it('gives every address with its TTL', async () => {
    await using authority = await authorityWith(['2001:db8::1', 'fd12:3456:789a::2'], 77)
    expect(await lookupTnr(domain, asked(authority))).toEqual({
      kind: 'found',
      addresses: [
        { address: '2001:db8::1', ttlSeconds: 77 },
        { address: 'fd12:3456:789a::2', ttlSeconds: 77 }
      ],
      rejected: []
    })
  })

  it('follows a CNAME', async () => {
    const zone = new Zone(domain)
    zone.set(`tnr.${domain}`, [{ type: 'CNAME', value: `registry.${domain}` }])
    zone.set(`registry.${domain}`, [{ type: 'AAAA', value: '2001:db8::7' }])
    await using authority = await Authority.start(zone)
    const answer = await lookupTnr(domain, asked(authority))
    expect(answer).toMatchObject({ kind: 'found', addresses: [{ address: '2001:db8::7' }] })
  })

  it('reads 200 addresses, which need TCP', async () => {
    await using authority = await authorityWith(
      Array.from({ length: 200 }, (_, i) => `2001:db8::${(i + 1).toString(16)}`)
    )
    const answer = await lookupTnr(domain, asked(authority))
    expect(answer.kind === 'found' && answer.addresses.length).toBe(200)
  })

  it('takes 256 addresses and no more', async () => {
    await using authority = await authorityWith(
      Array.from({ length: 300 }, (_, i) => `2001:db8::${(i + 1).toString(16)}`)
    )
    const answer = await lookupTnr(domain, asked(authority))
    expect(answer).toMatchObject({ kind: 'found' })
    expect(answer.kind === 'found' && [answer.addresses.length, answer.rejected.length]).toEqual([256, 44])
  })

  it.each([
    ['::1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['ff02::1', 'multicast'],
    ['::', 'unspecified'],
    ['::ffff:192.0.2.1', 'IPv4 in disguise'],
    ['64:ff9b::c000:201', 'IPv4 in disguise'],
    ['2002:c000:201::1', 'IPv4 in disguise']
  ])('rejects %s and says why', async (address, why) => {
    await using authority = await authorityWith([address, '2001:db8::1'])
    const answer = await lookupTnr(domain, asked(authority))
    expect(answer).toMatchObject({ kind: 'found', addresses: [{ address: '2001:db8::1' }] })
    expect(answer.kind === 'found' && answer.rejected[0]?.why).toContain(why)
  })

  it('is a bad answer when no address of it can be used', async () => {
    await using authority = await authorityWith(['fe80::1'])
    expect(await lookupTnr(domain, asked(authority))).toMatchObject({
      kind: 'bad-answer',
      rejected: [{ address: 'fe80::1' }]
    })
  })

  it('accepts loopback for a network on one machine', async () => {
    await using authority = await authorityWith(['::1'])
    const answer = await lookupTnr(domain, { ...asked(authority), allowLoopback: true })
    expect(answer).toMatchObject({ kind: 'found', addresses: [{ address: '::1' }] })
  })

  it('tells a name without AAAA from one that does not exist', async () => {
    const zone = new Zone(domain)
    zone.set(`tnr.${domain}`, [{ type: 'TXT', value: 'hello' }])
    zone.set('tnr.sub.example.test', [{ type: 'AAAA', value: '2001:db8::1' }])
    await using authority = await Authority.start(zone)
    expect(await lookupTnr(domain, asked(authority))).toMatchObject({ kind: 'none' })
    expect(await lookupTnr(`other.${domain}`, asked(authority))).toMatchObject({ kind: 'no-domain' })
    expect(await lookupTnr('foreign.org', asked(authority))).toMatchObject({ kind: 'refused' })
  })

  it.each<[Fault, string]>([
    ['servfail', 'servfail'],
    ['refused', 'refused'],
    ['empty', 'none'],
    ['garbage', 'bad-answer']
  ])('%s is the answer %s, with a message', async (fault, kind) => {
    await using dns = await faultyDns(fault)
    const answer = await lookupTnr(domain, asked(dns))
    expect(answer).toMatchObject({ kind })
    expect(answer.kind !== 'found' && answer.message).toContain(`tnr.${domain}`)
  })

  it('a silent resolver costs the time that it is given', async () => {
    await using dns = await faultyDns('silence')
    const cost = async (timeoutMs: number): Promise<number> => {
      const start = performance.now()
      expect(await lookupTnr(domain, { servers: [dns.address], timeoutMs })).toMatchObject({ kind: 'timeout' })
      return performance.now() - start
    }
    const [short, long] = await Promise.all([cost(300), cost(6_000)])
    expect(short).toBeLessThan(long)
  })

  it('a resolver that is not there is a timeout at once', async () => {
    const dns = await faultyDns('silence')
    await dns[Symbol.asyncDispose]()
    const answer = await lookupTnr(domain, { servers: [dns.address], timeoutMs: 2000 })
    expect(answer).toMatchObject({ kind: 'timeout' })
  })

  it('asks the second resolver when the first is silent', async () => {
    await using dead = await faultyDns('silence')
    await using authority = await authorityWith(['2001:db8::1'])
    const answer = await lookupTnr(domain, { servers: [dead.address, authority.address], timeoutMs: 2000 })
    expect(answer).toMatchObject({ kind: 'found' })
  })

  it('throws only what the signal says', async () => {
    await using dns = await faultyDns('silence')
    const controller = new AbortController()
    const answer = lookupTnr(domain, { ...asked(dns), signal: controller.signal })
    controller.abort(new Error('the node stops'))
    await expect(answer).rejects.toThrow('the node stops')
  })

  it('a name that is none, or a resolver that is none, is a bad answer', async () => {
    await using dns = await faultyDns('silence')
    expect(await lookupTnr('a'.repeat(80), asked(dns))).toMatchObject({ kind: 'bad-answer' })
    expect(await lookupTnr(domain, { servers: ['nonsense'] })).toMatchObject({ kind: 'bad-answer' })
  })
})
