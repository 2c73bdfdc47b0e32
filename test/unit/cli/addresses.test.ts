import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { badResolvers, ip } from '../../helpers/faults/address-spellings.ts'

/** One of each kind: all spellings are tried at the rules themselves. */
const badIps = ['192.0.2.1', '::ffff:192.0.2.1', 'fe80::1%eth0', 'ff02::1', 'example.org']
const badServers = badResolvers.slice(0, 5)

/** Every flag and argument that takes an address, in the command line that needs least beside it. */
const flags: [string, (text: string) => string[], readonly string[]][] = [
  ['node start --peer', (text) => ['node', 'start', '--peer', `/ip6/${text}/tcp/8000`], badIps],
  ['node start --set listen.host', (text) => ['node', 'start', '--set', `listen.host=${text}`], badIps],
  ['registry start --peer', (text) => ['registry', 'start', '--peer', `/ip6/${text}/tcp/8000`], badIps],
  ['registry promote --peer', (text) => ['registry', 'promote', '--peer', `/ip6/${text}/tcp/8000`], badIps],
  ['peers connect', (text) => ['peers', 'connect', `/ip6/${text}/tcp/8000`], badIps],
  ['dns show --address', (text) => ['dns', 'show', '--domain', 'a.test', '--address', text], badIps],
  ['dns show --ask', (text) => ['dns', 'show', '--domain', 'a.test', '--address', ip, '--ask', text], badServers],
  ['dns set --add', (text) => ['dns', 'set', '--domain', 'a.test', '--plan', '--add', text], badIps],
  [
    'dns set --remove',
    (text) => ['dns', 'set', '--domain', 'a.test', '--plan', '--remove', text],
    ['x', '10.0.0.1', 'fe80::1%eth0']
  ],
  [
    'dns set --server',
    (text) => ['dns', 'set', '--domain', 'a.test', '--plan', '--add', ip, '--server', text],
    badServers
  ],
  [
    'install --announce',
    (text) => ['install', '--plan', '--domain', 'a.test', '--role', 'root', '--announce', text],
    badIps
  ],
  [
    'install --root-registry',
    (text) => ['install', '--plan', '--domain', 'a.test', '--trust-on-first-use', '--root-registry', text],
    badIps
  ],
  ['install --ipv6-probe', (text) => ['install', '--plan', '--domain', 'a.test', '--ipv6-probe', text], badIps],
  ['install --http', (text) => ['install', '--plan', '--domain', 'a.test', '--http', `[${text}]:9443`], badIps],
  [
    'install --dns-server',
    (text) => ['install', '--plan', '--domain', 'a.test', '--role', 'root', '--dns-server', text],
    badServers
  ]
]

let home: ControlHome
beforeAll(async () => {
  home = await ControlHome.create()
  await home.serve('node-1', new ScriptedApi())
})
afterAll(async () => {
  await home[Symbol.asyncDispose]()
})

describe.each(flags)('%s', (_, argv, bad) => {
  it.each(bad)('refuses %s, and says what is right', async (text) => {
    const { code, out, err } = await runCli(argv(text), { home: home.folder })
    expect(`${code} ${err}`).toMatch(/^2 .*\bwrite\b/s)
    expect(err).not.toMatch(/\n\s+at /)
    expect(out).toBe('')
    await rm(join(home.folder, 'data'), { recursive: true, force: true })
  })
})
