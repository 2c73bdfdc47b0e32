import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PeerRow } from '../../../src/node/api/control-api.ts'
import { targetText } from '../../../src/node/forward/target.ts'
import { peerRow, peersView } from '../../helpers/commands/control-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (...argv: string[]) => runCli(argv, { home: home.folder })

describe('service', () => {
  test('add tells the process what was given', async () => {
    const asked: unknown[] = []
    api.addService = async (input) => {
      asked.push(input)
      return { name: input.name, message: 'is announced' }
    }
    const check = 'http://[::1]:80/'
    const given = ['--port', '80', '--tag', 'a', '--tag', 'b', '--check', check, '--every', '1m']
    expect(await run('service', 'add', 'web', ...given)).toMatchObject({ code: 0, out: 'is announced\n' })
    await run('service', 'add', 'dns', '--port', '53', '--udp')
    expect(asked).toEqual([
      { name: 'web', port: 80, tags: ['a', 'b'], check, everyMs: 60_000 },
      { name: 'dns', port: 53, protocol: 'udp' }
    ])
  })

  test.each([
    ['x'.repeat(65), '80', 'no name of a service'],
    ['<b>web</b>', '80', 'no name of a service'],
    ['web', '0', '--port needs a whole number from 1 to 65535'],
    ['web', '70000', '--port needs a whole number from 1 to 65535']
  ])('add %s on %s is a mistake', async (name, port, message) => {
    const { code, err } = await run('service', 'add', name, '--port', port)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  test('list says what the checks said, and why something is not announced', async () => {
    api.services = async () => ({
      ...(await new ScriptedApi().services()),
      maintenance: { sinceMs: 1, reason: 'new disk' }
    })
    const { out, err } = await run('service', 'list')
    expect(out).toMatch(/web +8080\/tcp +blue +failing .*answered 503/)
    expect(out).toMatch(/chat +libp2p/)
    expect(out).toContain('the configuration has a service of this name')
    expect(err).toContain('under maintenance (new disk)')
  })
})

describe.each(['x'.repeat(65), '<b>web</b>'])('a service that is called %s', (name) => {
  const commands = [
    ['service', 'add', name, '--port', '80'],
    ['service', 'remove', name],
    ['expose', name, '--to', '[::1]:22'],
    ['expose', name, '--remove'],
    ['forward', `db-1/${name.replace('/', '')}`, '-'],
    ['forward', '--any', name.replace('/', '')],
    ['lookup', '--service', name],
    ['peers', '--service', name],
    ['wait', '--service', name],
    ['export', 'hosts', '--service', name],
    ['policy', 'test', 'hal', 'db-1', name]
  ]
  test.each(commands)('is a mistake for %s %s', async (...command) => {
    const { code, err, out } = await run(...command)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('is no name of a service: it has 1 to 63 of a-z, 0-9 and -')
  })
})

test.each(['[::1]:70000', '[::1]:0', '127.0.0.1:22', '[::]:22', '[2001:db8::1]:22', 'unix:app.sock', 'hal:22'])(
  'expose --to %s is a mistake, and an example is shown',
  async (to) => {
    api.expose = async ({ name }) => ({ name, to: targetText(to), message: 'is exposed' })
    const { code, err } = await run('expose', 'ssh', '--to', to)
    expect(code).toBe(2)
    expect(err).toContain('write [::1]:22, or unix:/run/app.sock')
  }
)

test.each(['peers', 'lookup'])('%s --service shows port, tags and state of that service alone', async (command) => {
  const services: PeerRow['services'] = [
    { name: 'db', port: 5432, protocol: 'tcp', tags: [], state: 'unknown' },
    { name: 'web', port: 80, protocol: 'tcp', tags: ['blue'], state: 'failing' }
  ]
  api.peersAnswer = peersView([peerRow({ services })])
  const { out } = await run(command, '--service', 'web')
  expect(out).toContain('web 80/tcp (blue failing)')
  expect(out).not.toContain('5432')
  expect((await run('peers')).out).not.toContain('SERVICE')
})

test('wait --service waits for a member that offers it healthy, and says so when it gives up', async () => {
  const asked: unknown[] = []
  api.lookup = async (query) => {
    asked.push(query)
    return { rows: asked.length < 3 ? [] : [peerRow()], next: null }
  }
  expect((await run('wait', '--service', 'web', '--timeout', '60s')).code).toBe(0)
  expect(asked[0]).toEqual({ service: 'web', healthy: true, limit: 1 })
  api.lookup = async () => ({ rows: [], next: null })
  const { code, err } = await run('wait', '--service', 'web', '--timeout', '1s')
  expect(code).toBe(7)
  expect(err).toContain('still missing a member with a healthy service web')
})

test('lookup: a tag or health without a service is a mistake, as is a reason that is too long', async () => {
  for (const option of [['--tag', 'x'], ['--healthy']]) expect((await run('lookup', ...option)).code).toBe(2)
  expect((await run('maintenance', 'on', '--reason', 'x'.repeat(65))).code).toBe(2)
})
