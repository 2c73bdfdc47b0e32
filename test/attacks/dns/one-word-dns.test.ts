import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { peerIds, registryStatusView, statusView } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'
import { type Bind, startBind } from '../../helpers/servers/bind.ts'
import { attack, control } from '../attack.ts'

const name = 'tnr.example.org'

let home: ControlHome
let bind: Bind
let secondary: Server
let env: Record<string, string>

beforeEach(async () => {
  home = await ControlHome.create()
  const api = new ScriptedApi()
  await home.serve('root', api)
  bind = await startBind({ zone: 'example.org', records: ['tnr 60 IN AAAA 2001:db8::1', 'tnr 60 IN AAAA ::1'] })
  const keyFile = join(home.folder, 'tsig')
  writeFileSync(keyFile, bind.keyText, { mode: 0o600 })
  env = { TRUSTNET_DNS_TSIG_KEY_FILE: keyFile }
  secondary = createServer().listen(0, '::1')
  await once(secondary, 'listening')
  const { port } = secondary.address() as AddressInfo
  const registry = (n: number, ip: string) => ({
    peerId: peerIds[n] ?? '',
    name: `r${n}`,
    role: n === 0 ? ('root' as const) : ('secondary' as const),
    shown: null,
    behind: null,
    address: `/ip6/${ip}/tcp/${port}`,
    addresses: [`/ip6/${ip}/tcp/${port}`]
  })
  const root = { ...registry(0, '2001:db8::1'), state: 'online' as const, connected: true }
  // What another registry says of it: it left.
  const said = { ...registry(1, '::1'), state: 'left' as const, connected: false }
  const status = statusView()
  api.statusAnswer = {
    ...status,
    dns: { ...status.dns, port },
    network: { ...status.network, domain: 'example.org' } as typeof status.network
  }
  api.registryStatus = async () => ({ ...registryStatusView, registries: [root, said] })
})

afterEach(async () => {
  secondary.close()
  await bind[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const set = (...args: string[]) =>
  runCli(['dns', 'set', '--provider', 'rfc2136', '--server', bind.address, '--ask', bind.address, ...args], {
    home: home.folder,
    env
  })

attack('a registry says that another one left, and dns set is run', async () => {
  const { out, code } = await set()
  expect(code).toBe(0)
  const values = bind.dig(name, 'AAAA').toSorted()
  expect(values).toEqual(['2001:db8::1', '::1'])
  return {
    happened: `zone unchanged: ${values.join(', ')} (${out.trim()})`,
    held: 'the address was tried from here, and answers'
  }
})

control('an address that does not answer is removed, and one that is named with --remove', async () => {
  await new Promise((resolve) => secondary.close(resolve))
  expect((await set()).code).toBe(0)
  expect(bind.dig(name, 'AAAA')).toEqual(['2001:db8::1'])
  expect((await set('--domain', 'example.org', '--remove', '2001:db8::1', '--add', '2001:db8::9')).code).toBe(0)
  expect(bind.dig(name, 'AAAA')).toEqual(['2001:db8::9'])
})
