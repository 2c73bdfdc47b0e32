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
  const all = execFileSync('tar', ['-xOf', file]).toString()
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
