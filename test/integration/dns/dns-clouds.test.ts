import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProvider } from '../../../src/dns/providers/index.ts'
import type { DnsProvider, RecordEdit } from '../../../src/dns/providers/provider.ts'
import { type CloudflareServer, startCloudflare } from '../../helpers/servers/cloudflare-server.ts'
import { type Route53Server, route53Error, route53Xml, startRoute53 } from '../../helpers/servers/route53-server.ts'
import { tempFolder } from '../../helpers/temp.ts'

const name = 'tnr.example.test'

const edit = (add: string[], remove: string[] = [], type: RecordEdit['type'] = 'AAAA'): RecordEdit => ({
  name,
  type,
  ttlSeconds: 300,
  add,
  remove
})

describe('route53 through the SDK', () => {
  let server: Route53Server
  let provider: DnsProvider
  const folder = tempFolder()
  beforeEach(async () => {
    writeFileSync(
      join(folder.path, 'credentials'),
      '[dns]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n'
    )
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder.path, 'credentials'))
    vi.stubEnv('AWS_CONFIG_FILE', join(folder.path, 'none'))
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    server = await startRoute53()
    provider = await createProvider({ provider: 'route53', profile: 'dns', endpoint: server.url })
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await server[Symbol.asyncDispose]()
  })

  it('finds the public zone nearest to the name, signed with the profile', async () => {
    server.zones.push(
      { id: 'Z09', name: 'example.test.', isPrivate: true },
      { id: 'Z10', name: 'test.', isPrivate: false }
    )
    expect(await provider.prepare(name)).toBe('zone example.test at Amazon Route 53')
    expect(server.signedBy.every((scope) => /^AKIDPROFILE\/\d+\/us-east-1\/route53\/aws4_request$/.test(scope))).toBe(
      true
    )
  })

  it('creates the set, then adds and removes exactly what is asked for, and waits until it is in sync', async () => {
    server.pending = 1
    const said: string[] = []
    expect(await provider.change(edit(['2001:db8::1']), { progress: (line) => said.push(line) })).toEqual({
      kind: 'written',
      changed: true,
      values: ['2001:db8::1']
    })
    expect(said).toEqual(['written; Route 53 is copying it to its name servers'])
    expect(server.pending).toBe(-1)
    await provider.change(edit(['2001:db8::2', '2001:0DB8::3']))
    await provider.change(edit([], ['2001:db8::2']))
    expect(server.sets).toEqual([
      { name: `${name}.`, type: 'AAAA', ttl: '300', values: ['2001:db8::1', '2001:db8::3'] }
    ])
    expect(await provider.change(edit(['2001:db8::1'], ['2001:db8::9']))).toMatchObject({ changed: false })
    await provider.change(edit([], ['2001:db8::1', '2001:db8::3']))
    expect(server.sets).toEqual([])
  })

  it("someone else's value that came between reading and writing is kept", async () => {
    server.sets.push({ name: `${name}.`, type: 'AAAA', ttl: '60', values: ['2001:db8::1'] })
    server.before.push(() => server.sets[0]?.values.push('2001:db8::77'))
    expect(await provider.change(edit(['2001:db8::2']))).toMatchObject({
      values: ['2001:db8::1', '2001:db8::77', '2001:db8::2']
    })
    expect(server.sets[0]?.values).toEqual(['2001:db8::1', '2001:db8::77', '2001:db8::2'])
  })

  it('text is quoted on the way there and read back', async () => {
    const text = `dnsaddr=/p2p/${'x'.repeat(300)}"\\`
    await provider.change(edit([text], [], 'TXT'))
    expect(server.sets[0]?.values[0]).toMatch(/^"dnsaddr=.*" "x+\\"\\\\"$/)
    expect(await provider.change(edit([text], [], 'TXT'))).toMatchObject({ changed: false })
  })

  it('a set with an alias or a routing policy is not touched', async () => {
    server.sets.push({
      name: `${name}.`,
      type: 'AAAA',
      ttl: '60',
      values: ['2001:db8::1'],
      more: '<SetIdentifier>eu</SetIdentifier><Weight>1</Weight>'
    })
    await expect(provider.change(edit(['2001:db8::2']))).rejects.toThrow(/alias or has a routing policy/)
  })

  it('no zone, two zones, no credentials and no permission are each told as that', async () => {
    await expect(provider.prepare('tnr.other.test')).rejects.toThrow(/no public hosted zone for tnr.other.test/)
    server.zones.push({ id: 'Z11', name: 'example.test.', isPrivate: false })
    await expect(provider.prepare(name)).rejects.toThrow(/several public zones example.test: Z08, Z11. Choose one/)
    server.instead.push(route53Error(403, 'AccessDenied', 'User: x is not authorized'))
    await expect(provider.prepare(name)).rejects.toThrow(/Route 53 refuses \(AccessDenied\): User: x/)
    const other = await createProvider({ provider: 'route53', profile: 'missing', endpoint: server.url })
    await expect(other.prepare(name)).rejects.toThrow(/No AWS credentials: .*--aws-profile NAME/)
  })

  it('a service that fails or is not there is unreachable', async () => {
    const fails = Array.from({ length: 3 }, () => route53Xml(503, '<ServiceUnavailableException/>'))
    server.instead.push(...fails)
    await expect(provider.prepare(name)).rejects.toMatchObject({ name: 'ProviderUnreachableError' })
    await server[Symbol.asyncDispose]()
    await expect(provider.prepare(name)).rejects.toMatchObject({ name: 'ProviderUnreachableError' })
    server = await startRoute53()
  })
})

describe('cloudflare', () => {
  let server: CloudflareServer
  let provider: DnsProvider
  beforeEach(async () => {
    server = await startCloudflare()
    provider = await createProvider({ provider: 'cloudflare', token: server.token, endpoint: server.url })
  })
  afterEach(() => server[Symbol.asyncDispose]())

  const record = (content: string, more: object = {}) => ({
    id: content.replaceAll(/\W/g, 'x'),
    type: 'AAAA',
    name,
    content,
    ttl: 300,
    proxied: false,
    ...more
  })
  const contents = (): string[] => server.records.map(({ content }) => content)

  it('adds and removes exactly what is asked for', async () => {
    server.records.push(record('2001:db8::1'), record('2001:db8::9', { name: 'www.example.test' }))
    expect(await provider.prepare(name)).toBe('zone example.test at Cloudflare')
    expect(await provider.change(edit(['2001:DB8::2'], ['2001:db8::1', '2001:db8::9']))).toEqual({
      kind: 'written',
      changed: true,
      values: ['2001:db8::2']
    })
    expect(contents()).toEqual(['2001:db8::9', '2001:db8::2'])
    expect(server.records[1]).toMatchObject({ type: 'AAAA', name, ttl: 300, proxied: false })
    expect(await provider.change(edit(['2001:db8::2']))).toMatchObject({ changed: false })
  })

  it('the name never goes without: adding comes before removing', async () => {
    server.records.push(record('2001:db8::1'))
    await provider.change(edit(['2001:db8::2'], ['2001:db8::1']))
    expect(server.writes.map((write) => write.split(' ')[0])).toEqual(['POST', 'DELETE'])
  })

  it('reads all pages', async () => {
    server.pageSize = 2
    server.records.push(...[1, 2, 3, 4, 5].map((n) => record(`2001:db8::${n}`)))
    expect(await provider.change(edit(['2001:db8::5'], []))).toMatchObject({ changed: false, values: { length: 5 } })
  })

  it('an address behind the proxy, which speaks HTTP only, is taken off it', async () => {
    server.records.push(record('2001:db8::1', { proxied: true }))
    expect(await provider.change(edit(['2001:db8::1']))).toMatchObject({ changed: true })
    expect(server.records).toMatchObject([{ content: '2001:db8::1', proxied: false }])
  })

  it('waits as long as it is told when it was too fast', async () => {
    const fast = {
      status: 429,
      type: 'application/json',
      body: '{"success":false,"errors":[{"code":971,"message":"x"}]}'
    }
    server.instead.push({ ...fast, headers: { 'retry-after': '0.01' } })
    expect(await provider.prepare(name)).toContain('example.test')
  })

  it('a token that is wrong, or may not, is told without showing it', async () => {
    const wrong = await createProvider({ provider: 'cloudflare', token: 'secret-one', endpoint: server.url })
    const error: unknown = await wrong.prepare(name).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'ProviderRefusedError' })
    expect(String(error)).toMatch(/Invalid access token \(9109\).*Zone > DNS > Edit/)
    expect(String(error)).not.toContain('secret-one')
    await expect(createProvider({ provider: 'cloudflare', token: 'two\nlines' })).rejects.toThrow(
      /characters that no token has/
    )
    await expect(provider.prepare('tnr.other.test')).rejects.toThrow(/shows this token no zone for tnr.other.test/)
  })

  it('an error page, an endless answer and nobody there are unreachable', async () => {
    const page = {
      status: 502,
      type: 'text/html',
      body: '<html>Bad gateway</html>',
      headers: { 'retry-after': '0.01' }
    }
    server.instead.push(page, page, page)
    await expect(provider.prepare(name)).rejects.toThrow(/HTTP status 502/)
    server.instead.push({ status: 200, type: 'application/json', body: 'x'.repeat(1024 * 1024 + 1) })
    await expect(provider.prepare(name)).rejects.toThrow(/larger than 1048576 bytes/)
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const headers = { 'content-encoding': 'gzip' }
    server.instead.push({ status: 200, type: 'application/json', body: packed, headers })
    await expect(provider.prepare(name)).rejects.toThrow(/larger than 1048576 bytes/)
    await server[Symbol.asyncDispose]()
    await expect(provider.prepare(name)).rejects.toMatchObject({ name: 'ProviderUnreachableError' })
    server = await startCloudflare()
  })
})
