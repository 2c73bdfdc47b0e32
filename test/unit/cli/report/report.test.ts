import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ReportRedactor } from '../../../../src/cli/report/redact.ts'
import { ControlHome, runCli, ScriptedApi } from '../../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const invite = `tnet1${'Ab3_'.repeat(30)}`
const secrets = [
  invite,
  'passphrase: correct-horse',
  '"token":"s3cr3t-value"',
  'TSIG_SECRET=abcdef0123==',
  `-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----`,
  Buffer.alloc(64, 7).toString('base64')
]

const fileIn = (tar: string, name: string): string => execFileSync('tar', ['-xOf', tar, name]).toString()

test('secrets and addresses are taken out, the same address in the same way; names, times and versions stay', () => {
  const redactor = new ReportRedactor(false, { argv: [], env: {} })
  const clean = redactor.clean(secrets.join('\n'))
  for (const gone of [invite, 'correct-horse', 's3cr3t', 'abcdef0123', 'MC4CAQ', 'Bwc'])
    expect(clean).not.toContain(gone)
  const text =
    'at 2026-11-30T06:55:52Z /ip6/2001:db8::5/tcp/9000 [2001:DB8::5]:9000 via fd00::1, 192.0.2.7:53; [::1] hal 0.1.0 a::b 12:30'
  expect(redactor.clean(text)).toBe(
    'at 2026-11-30T06:55:52Z /ip6/[address-1]/tcp/9000 [[address-1]]:9000 via [address-2], [address-4]:53; [::1] hal 0.1.0 [address-3] 12:30'
  )
  expect(redactor.clean('"keyFile": "/d/node.key", "token": null')).toBe('"keyFile": "/d/node.key", "token": null')
  const open = new ReportRedactor(true, { argv: [], env: {} })
  expect(open.clean(`2001:db8::5 ${invite}`)).toMatch(/^2001:db8::5 (?!tnet1Ab3)/)
})

test.each([
  ['cannot reach 2001:db8::1: refused', 'cannot reach [address-1]: refused'],
  ['2001:db8::1. 192.0.2.7. ...2001:db8::1', '[address-1]. [address-2]. ...[address-1]'],
  ['::ffff:192.0.2.7', '[address-1]'],
  ['2001:DB8:0:0::1 = 2001:db8::1', '[address-1] = [address-1]'],
  ['peer:2001:db8::2 a=fe80::1%eth0', 'peer:[address-1] a=[address-2]%eth0'],
  [String.raw`{"m":"{\"stack\":\"x\\n2001:db8::7\"}"}`, String.raw`{"m":"{\"stack\":\"x\\n[address-1]\"}"}`],
  ['1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa', '[address-1]'],
  ['{"to":{"2001:db8::1":1}}', '{"to":{"[address-1]":1}}']
])('address in %s', (given, clean) => {
  expect(new ReportRedactor(false, { argv: [], env: {} }).lines([given])).toBe(clean)
})

test.each([
  ['"password": "12345678"', '"password": "[secret]"'],
  ['{"secret":"/3kFzabc+=="}', '{"secret":"[secret]"}'],
  ['{"tokens":["aaa","bbb"]}', '{"tokens":"[secret]"}'],
  ['"tokens": ["aaa", "bbb"]', '"tokens": [secret]'],
  [String.raw`{"m":"{\"password\":\"two words\"}"}`, String.raw`{"m":"{\"password\":\"[secret]\"}"}`],
  ['{"m":"bad token=abc"}', '{"m":"bad token=[secret]"}'],
  ['{"argv":["--token","abc","--port","1"]}', '{"argv":["--token","[secret]","--port","1"]}'],
  ['run --token abc --port 1', 'run --token [secret] --port 1'],
  ['{"m":"Authorization: Bearer abc.def"}', '{"m":"Authorization: [secret]"}'],
  ['api_key=abc', 'api_key=[secret]'],
  ['key kIVcPBl6ZNPXhUIeuCZCr1WcVZ3hGZqnhm+GP5YQxWs=', 'key [secret]'],
  ['12D3KooWShzhCnUdaH7h1DmzPtffspiUHWkK4ATk9WkFrkVk3WwA', '12D3KooWShzhCnUdaH7h1DmzPtffspiUHWkK4ATk9WkFrkVk3WwA'],
  ['{"tokenFile":"/etc/token","token":null}', '{"tokenFile":"/etc/token","token":null}']
])('secret in %s', (given, clean) => {
  expect(new ReportRedactor(true, { argv: [], env: {} }).lines([given])).toBe(clean)
})

test.each(['a.', ':', 'a:', 'token', '1.'])('a long text of %s takes no time of its square', (part) => {
  const text = part.repeat(50_000)
  expect(new ReportRedactor(false, { argv: [], env: {} }).clean(text)).toHaveLength(text.length)
})

test('a report is one tar, of its owner alone, in which no answer and no log line has a secret or an address', async () => {
  api.logLines = [`joined with ${invite} from 2001:db8::99`, ...secrets]
  api.peers = async () => {
    throw new Error(`no answer from 2001:db8::98 with ${invite}`)
  }
  const file = join(home.folder, 'report.tar')
  const { out, code } = await runCli(['report', '--output', file], { home: home.folder })
  expect(code).toBe(0)
  expect(out).toMatch(/status\.json .*\n[\s\S]*peers\.json {2}not there: /)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const names = execFileSync('tar', ['-tf', file]).toString()
  for (const name of ['status', 'config', 'version', 'events', 'registry-status', 'topology'])
    expect(names).toContain(`trustnet-report/${name}.json`)
  expect(JSON.parse(fileIn(file, 'trustnet-report/registry-status.json'))).toMatchObject({ store: { bytes: 40_960 } })
  expect(fileIn(file, 'trustnet-report/log.txt')).toContain('joined with')
  expect(fileIn(file, 'trustnet-report/metrics.txt')).toContain('trustnet_up{address=')
  const all = execFileSync('tar', ['-xOf', file]).toString()
  for (const name of names.split('\n').filter((each) => each.endsWith('.json'))) JSON.parse(fileIn(file, name))
  expect(all).toContain('[address-')
  for (const gone of ['2001:db8', invite, 'correct-horse', 's3cr3t-value', 'BEGIN PRIVATE']) {
    expect(all).not.toContain(gone)
    expect(out).not.toContain(gone)
  }
  expect((await runCli(['report', '--output', file], { home: home.folder })).code).toBe(6)
  const open = join(home.folder, 'open.tar')
  await runCli(['report', '--output', open, '--with-addresses', '--json'], { home: home.folder })
  expect(execFileSync('tar', ['-xOf', open]).toString()).toContain('2001:db8::')
})
