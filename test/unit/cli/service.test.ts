import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

test('lookup: a tag or health without a service is a mistake, as is a reason that is too long', async () => {
  for (const option of [['--tag', 'x'], ['--healthy']]) expect((await run('lookup', ...option)).code).toBe(2)
  expect((await run('maintenance', 'on', '--reason', 'x'.repeat(65))).code).toBe(2)
})
