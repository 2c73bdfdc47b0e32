import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Authority } from '../../../src/dns/authority.ts'
import { Zone } from '../../../src/dns/zone.ts'
import type { RegistryStatusView } from '../../../src/node/api/control-api.ts'
import { startProgram, toFullDisk, toNobody } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { peerIds, registryStatusView, statusView } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { expectSchema } from '../../helpers/schemas.ts'
import { type Bind, startBind } from '../../helpers/servers/bind.ts'
import { startCloudflare } from '../../helpers/servers/cloudflare-server.ts'
import { faultyDns } from '../../helpers/servers/faulty-dns.ts'

const name = 'tnr.example.org'

type Row = RegistryStatusView['registries'][number]

const registry = (n: number, more: Partial<Row> = {}): Row => ({
  peerId: peerIds[n] ?? '',
  name: `r${n}`,
  role: n === 0 ? 'root' : 'secondary',
  state: 'online',
  connected: true,
  shown: null,
  behind: null,
  address: `/ip6/2001:db8::${n}/tcp/8000`,
  addresses: [`/ip6/2001:db8::${n}/tcp/8000`],
  ...more
})

let home: ControlHome
let api: ScriptedApi
let bind: Bind
let keyFile: string
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('root', api)
  bind = await startBind({ zone: 'example.org', records: ['tnr 60 IN AAAA 2001:db8::1', 'tnr 60 IN AAAA 2001:db8::2'] })
  keyFile = join(home.folder, 'tsig')
  writeFileSync(keyFile, bind.keyText, { mode: 0o600 })
})
afterEach(async () => {
  await bind[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const alive = (...registries: Row[]): void => {
  api.registryStatus = async () => ({ ...registryStatusView, registries })
}

/** Resolvers of the running node's configuration. */
const configured = (...resolvers: string[]): void => {
  const { dns } = statusView()
  api.status = async () => statusView({ dns: { ...dns, resolvers } })
}

const run = (argv: string[], init: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(['dns', ...argv], { home: home.folder, ...init })

const rfc2136 = (): string[] => ['--provider', 'rfc2136', '--server', bind.address, '--ask', bind.address]

describe('dns check', () => {
  test('says what is published, whose it is, and the exact edit; exit 5 until it fits', async () => {
    alive(registry(1), registry(2, { state: 'offline', connected: false }), registry(3))
    const { out, code } = await run(['check', '--ask', bind.address])
    expect(code).toBe(5)
    expect(out).toContain(`differs: ${name} needs 1 more and 1 less`)
    expect(out).toMatch(/2001:db8::1 +all +r1 +keep +online/)
    expect(out).toContain(`  + ${name}. 300 IN AAAA 2001:db8::3\n  - ${name}. 300 IN AAAA 2001:db8::2\n`)
    alive(registry(1), registry(2))
    expect(await run(['check', '--ask', bind.address])).toMatchObject({
      code: 0,
      out: expect.stringContaining('fits: ')
    })
  })

  test('--json fits its schema', async () => {
    alive(registry(1), registry(3))
    const { out } = await run(['check', '--ask', bind.address, '--json'])
    const view = JSON.parse(out)
    expectSchema('dns-check', view)
    expect(view).toMatchObject({ fits: false, edit: { add: ['2001:db8::3'], remove: [] } })
    expect(view.rows).toMatchObject([{ verdict: 'keep' }, { verdict: 'stray' }, { verdict: 'add' }])
  })

  test("asks the configuration's resolvers which servers the zone has, and them where they know none", async () => {
    alive(registry(1), registry(2))
    configured(bind.address)
    const named = await run(['check'])
    expect(named.out + named.err).toContain('ns1.example.org')
    await using zoneless = await Authority.start(new Zone('example.org'))
    zoneless.zone.set(
      name,
      [1, 2].map((n) => ({ type: 'AAAA', value: `2001:db8::${n}` }))
    )
    configured(zoneless.address)
    expect(await run(['check'])).toMatchObject({ code: 0, out: expect.stringContaining(`asked: ${zoneless.address}`) })
  })

  test("doctor asks the configuration's resolver whether the name is signed", async () => {
    await using own = await Authority.start(new Zone('example.org'))
    configured(own.address)
    const { out } = await runCli(['doctor', '--json'], { home: home.folder })
    const dnssec = { id: 'dnssec', level: 'pass', reason: expect.stringContaining('is not signed') }
    expect(JSON.parse(out).checks).toContainEqual(expect.objectContaining(dnssec))
  })

  test('--watch prints each change once', async () => {
    alive(registry(1), registry(2))
    const stop = new AbortController()
    const ended = run(['check', '--ask', bind.address, '--watch', '--json', '--every', '50ms'], {
      signal: stop.signal,
      onWrite(out) {
        const lines = out.split('\n').length - 1
        if (lines === 1) alive(registry(1))
        if (lines === 2) stop.abort()
      }
    })
    const { out, code } = await ended
    expect(code).toBe(130)
    const views = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(views.map(({ rows }) => rows.map(({ verdict }: { verdict: string }) => verdict))).toEqual([
      ['keep', 'keep'],
      ['keep', 'stray']
    ])
  })

  test('as a program: a full disk is told and is 1, a reader that is gone is 0, and a signal ends what asks', async () => {
    alive(registry(1), registry(2))
    const env = { TRUSTNET_HOME: home.folder }
    const argv = ['dns', 'check', '--ask', bind.address]
    expect(await toFullDisk(argv, env)).toMatchObject({ code: 1, err: expect.stringMatching(/could not be written/) })
    expect(await toNobody(argv, env)).toMatchObject({ code: 0, err: '' })
    await using silent = await faultyDns('silence')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const asked = silent.asked()
      const program = startProgram(['dns', 'check', '--ask', silent.address], env)
      await asked
      program.process.kill(signal)
      expect(await program.ended).toMatchObject({ code: 128 + constants.signals[signal], out: '', err: '' })
    }
  })

  test('no name server that answers: exit 7; nothing running: exit 3', async () => {
    await using refusing = await faultyDns('refused')
    expect(await run(['check', '--ask', refusing.address])).toMatchObject({
      code: 7,
      err: expect.stringMatching(/No name server of the zone can be asked: .*refuses/)
    })
    await using empty = await ControlHome.create()
    expect((await runCli(['dns', 'check', '--domain', 'example.org'], { home: empty.folder })).code).toBe(3)
  })
})

describe('dns set', () => {
  test('writes the comparison by rfc2136, keeps what is nobody else’s business, and waits for the zone', async () => {
    alive(registry(1), registry(3))
    const env = { TRUSTNET_DNS_TSIG_KEY_FILE: keyFile }
    const { code, out, err } = await run(['set', ...rfc2136(), '--json'], { env })
    expect({ code, err }).toMatchObject({
      code: 0,
      err: expect.stringContaining(`writing to zone example.org at ${bind.address}`)
    })
    expectSchema('dns-set', JSON.parse(out))
    expect(JSON.parse(out)).toMatchObject({ state: 'published', edit: { add: ['2001:db8::3'], remove: [] } })
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::1', '2001:db8::2', '2001:db8::3'])
    const pruned = await run(['set', ...rfc2136(), '--prune'], { env })
    expect(pruned).toMatchObject({ code: 0, out: expect.stringContaining('every name server of the zone has it') })
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::1', '2001:db8::3'])
    expect(await run(['set', ...rfc2136()], { env })).toMatchObject({
      out: expect.stringContaining('nothing is to be changed')
    })
  })

  test('--add and --remove need no running process; --plan changes nothing', async () => {
    await using empty = await ControlHome.create()
    const env = { TRUSTNET_DNS_TSIG_KEY_FILE: keyFile }
    const args = [
      'dns',
      'set',
      '--domain',
      'example.org',
      ...rfc2136(),
      '--add',
      '2001:DB8::9',
      '--remove',
      '2001:db8::1'
    ]
    const planned = await runCli([...args, '--plan', '--json'], { home: empty.folder, env })
    expectSchema('dns-set', JSON.parse(planned.out))
    expect(bind.dig(name, 'AAAA')).toHaveLength(2)
    expect((await runCli(args, { home: empty.folder, env })).code).toBe(0)
    expect(bind.dig(name, 'AAAA').toSorted()).toEqual(['2001:db8::2', '2001:db8::9'])
    const wrong = await runCli(['dns', 'set', '--domain', 'example.org', '--add', 'fe80::1'], { home: empty.folder })
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining("'fe80::1' is a link-local address")
    })
  })

  test('by hand: prints the steps and writes nothing', async () => {
    alive(registry(1), registry(3))
    const { out, code } = await run(['set', '--ask', bind.address])
    expect(code).toBe(0)
    expect(out).toContain(`${name}. 300 IN AAAA 2001:db8::3`)
    expect(out).toMatch(/Amazon Route 53[\s\S]*Cloudflare[\s\S]*Any other provider/)
    expectSchema('dns-set', JSON.parse((await run(['set', '--ask', bind.address, '--json'])).out))
    expect(bind.dig(name, 'AAAA')).toHaveLength(2)
  })

  test('written elsewhere than where the zone is: told after the time, exit 7', async () => {
    await using cloudflare = await startCloudflare('example.org')
    const env = { CLOUDFLARE_API_TOKEN: cloudflare.token, CLOUDFLARE_BASE_URL: cloudflare.url }
    alive(registry(1), registry(3))
    const { code, out, err } = await run(
      ['set', '--provider', 'cloudflare', '--ask', bind.address, '--wait', '100ms'],
      { env }
    )
    expect({ code, out }).toMatchObject({ code: 7, out: expect.stringContaining('not every name server has it yet') })
    expect(err).toContain(`0 of 1 name servers have ${name}`)
    expect(cloudflare.records).toMatchObject([{ content: '2001:db8::3' }])
    expect(await run(['set', '--provider', 'cloudflare', '--ask', bind.address, '--no-wait'], { env })).toMatchObject({
      code: 0
    })
  })

  test('a signal while it waits for the zone: it ends, and says that the record is written', async () => {
    await using cloudflare = await startCloudflare('example.org')
    const env = {
      TRUSTNET_HOME: home.folder,
      CLOUDFLARE_API_TOKEN: cloudflare.token,
      CLOUDFLARE_BASE_URL: cloudflare.url
    }
    const where = ['--domain', 'example.org', '--provider', 'cloudflare', '--ask', bind.address]
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const program = startProgram(['dns', 'set', '--add', '2001:db8::9', ...where, '--wait', '10m'], env)
      let told = ''
      program.process.stderr?.on('data', (chunk: Buffer) => {
        told += chunk.toString()
      })
      await vi.waitFor(() => expect(told).toContain(`0 of 1 name servers have ${name}`), {
        timeout: ceilingMs,
        interval: 20
      })
      program.process.kill(signal)
      expect(await program.ended).toMatchObject({
        code: 128 + constants.signals[signal],
        out: '',
        err: expect.stringMatching(new RegExp(`Interrupted by ${signal}: the record is written.*trustnet dns check`))
      })
      expect(cloudflare.records).toMatchObject([{ content: '2001:db8::9' }])
    }
  })

  test('a secret that is missing, or that others can read, is refused before anything is asked', async () => {
    expect(await run(['set', ...rfc2136()])).toMatchObject({
      code: 2,
      err: expect.stringContaining('TRUSTNET_DNS_TSIG_KEY is not set')
    })
    const open = join(home.folder, 'open')
    writeFileSync(open, bind.keyText, { mode: 0o644 })
    const { code, err } = await run(['set', ...rfc2136()], { env: { TRUSTNET_DNS_TSIG_KEY_FILE: open } })
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('others can read it: chmod 600') })
    const secret = Buffer.alloc(32, 7).toString('base64')
    const bad = await run(['set', ...rfc2136(), '--add', '2001:db8::3'], {
      env: { TRUSTNET_DNS_TSIG_KEY: `update-key:${secret}` }
    })
    expect(bad).toMatchObject({ code: 6, err: expect.stringContaining('BADSIG') })
    expect(bad.err).not.toContain(secret)
  })
})

describe('dns show', () => {
  test('the records and the steps of every provider, or of one', async () => {
    alive(registry(1), registry(3))
    const { out } = await run(['show'])
    expect(out).toContain(`  ${name}. 300 IN AAAA 2001:db8::1\n  ${name}. 300 IN AAAA 2001:db8::3\n`)
    expect(out).toContain(`dig +noall +answer AAAA ${name}`)
    const one = await run(['show', '--provider', 'cloudflare', '--json'])
    expectSchema('dns-show', JSON.parse(one.out))
    expect(JSON.parse(one.out).instructions.how).toMatchObject([{ title: 'Cloudflare' }])
  })

  test('of several nodes that run it asks the named one, and lists them when none is named', async () => {
    const other = new ScriptedApi()
    other.registryStatus = async () => ({ ...registryStatusView, registries: [registry(4)] })
    await home.serve('other', other)
    alive(registry(1))
    expect(await run(['show'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Several nodes run here: other, root. Name one with --node.')
    })
    expect((await run(['show', '--node', 'other'])).out).toContain(`${name}. 300 IN AAAA 2001:db8::4`)
    expect((await run(['show', '--node', 'root'])).out).toContain(`${name}. 300 IN AAAA 2001:db8::1`)
    const named = ['show', '--domain', 'example.net', '--address', '2001:db8::5']
    expect((await run(named)).out).toContain('tnr.example.net. 300 IN AAAA 2001:db8::5')
  })

  test('needs no running process when addresses and domain are named', async () => {
    await using empty = await ControlHome.create()
    const named = ['dns', 'show', '--domain', 'example.net', '--address', '2001:db8::5']
    const { code, out } = await runCli(named, { home: empty.folder })
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining('tnr.example.net. 300 IN AAAA 2001:db8::5')
    })
    expect(await runCli(['dns', 'show'], { home: empty.folder })).toMatchObject({
      code: 2,
      err: expect.stringContaining('--domain')
    })
  })
})
