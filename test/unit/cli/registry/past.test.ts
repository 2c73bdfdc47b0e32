import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Input } from '../../../../src/node/api/control-api.ts'
import { logDiffView, pastView } from '../../../helpers/commands/past-views.ts'
import { ControlHome, runCli, ScriptedApi } from '../../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('hal', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const run = (...argv: string[]) => runCli(['registry', ...argv], { home: home.folder })

const day = 86_400_000
const noon = Date.UTC(2026, 10, 30, 12)
/** Whether a time is so long ago, give or take how long this machine takes. */
const isAgo = (timeMs: number | undefined, ms: number, begunMs: number): boolean =>
  timeMs !== undefined && begunMs - ms <= timeMs && timeMs <= Date.now() - ms

describe('registry at', () => {
  test.each<[string, Input<'registryAt'>]>([
    ['120', { n: 120 }],
    ['v120', { n: 120 }],
    ['2026-11-30T12:00:00Z', { timeMs: noon }],
    ['2026-11-30', { timeMs: noon - day / 2 }]
  ])('%s is asked for as such', async (when, query) => {
    const asked: unknown[] = []
    api.registryAt = async (given) => {
      asked.push(given)
      return pastView
    }
    expect((await run('at', when)).code).toBe(0)
    expect(asked).toEqual([query])
  })

  test('so long ago is a time', async () => {
    const asked: Input<'registryAt'>[] = []
    api.registryAt = async (given = {}) => {
      asked.push(given)
      return pastView
    }
    const begunMs = Date.now()
    await run('at', '2d')
    expect(asked.map(({ timeMs }) => isAgo(timeMs, 2 * day, begunMs))).toEqual([true])
  })

  test('says the members, names, registries, operators and the policy of that time', async () => {
    const { out } = await run('at', '12')
    const [first, registries, operators, policy, ...table] = out.split('\n')
    expect([first, registries, operators]).toEqual([
      'log 0:12 of 2027-01-15T08:00:00Z · 1 member · 1 key shut out',
      'registries: root (root)',
      'operators: ann'
    ])
    expect(policy).toMatch(/^policy of entry 0: admission by \w+, memberships of \d+ d$/)
    expect(table.join('\n')).toMatch(/NAME +PEER ID +ROLE +GROUPS +EXPIRES +ENTRY\nhal +…\w+ +integrated +web +2027-/)
  })

  test('what is no time and no entry is asked of nobody', async () => {
    const { code, err } = await run('at', 'yesterday')
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("'yesterday' is none") })
  })
})

describe('registry diff', () => {
  test.each<[string[], Input<'logDiff'>]>([
    [['v120', 'v131'], { fromN: 120, toN: 131 }],
    [['v120'], { fromN: 120 }],
    [['2026-11-30T12:00:00Z', 'v131'], { fromMs: noon, toN: 131 }],
    [['v120', '2026-11-30T12:00:00Z'], { fromN: 120, toMs: noon }]
  ])('%j is asked for as such', async (places, query) => {
    const asked: unknown[] = []
    api.logDiff = async (given) => {
      asked.push(given)
      return logDiffView
    }
    expect((await run('diff', ...places)).code).toBe(5)
    expect(asked).toEqual([query])
  })

  test('is a line for each change, and exit 5', async () => {
    expect((await run('diff', 'v3', 'v12')).out.trimEnd().split('\n')).toEqual([
      'from log 0:3 of 2027-01-15T08:00:00Z to log 0:12 of 2027-01-15T08:00:00Z: 9 entries, 2 of them dropped since',
      '+ hal (integrated), entry 7',
      '~ root: name old → root',
      '~ registry root: none → root',
      '+ operator ann',
      '- key of bad is shut out',
      '~ policy admission open → invite'
    ])
  })

  test('where nothing changed it says so, and is exit 0', async () => {
    const none = { added: [], removed: [], changed: [], registries: [], operators: [], revoked: [], policy: [] }
    api.logDiff = async () => ({ ...logDiffView, ...none, missing: 0 })
    const { code, out } = await run('diff', 'v3', 'v12')
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('9 entries\nno member, registry, operator') })
  })

  test('a place that is none is exit 2', async () => {
    expect(await run('diff', 'v3', 'soon')).toMatchObject({ code: 2, err: expect.stringContaining('TO needs a time') })
  })
})

describe('registry log', () => {
  test('asks for times, a member, a place and a number of entries', async () => {
    const asked: Input<'log'>[] = []
    const { log } = api
    api.log = async (given = {}) => {
      asked.push(given)
      return await log(given)
    }
    const begunMs = Date.now()
    await run('log')
    await run('log', '--since', '2d', '--until', '2026-11-30T12:00:00Z', '--member', '…hal', '--after', '3')
    const [newest, chosen] = asked
    expect(newest).toEqual({ limit: 50 })
    expect(chosen).toMatchObject({ untilMs: noon, peer: 'hal', after: 3, limit: 50 })
    expect(isAgo(chosen?.sinceMs, 2 * day, begunMs)).toBe(true)
  })

  test('says what was dropped between the entries, and exits with 4 without one', async () => {
    const { log } = api
    api.log = async () => ({ ...(await log()), missing: 2, floor: 7 })
    expect((await run('log')).err).toContain('2 entries between these were dropped')
    api.log = async () => ({ entries: [], next: null, missing: 0, floor: 0 })
    expect((await run('log', '--member', 'hal')).code).toBe(4)
  })

  test.each([
    [['--since', 'soon'], '--since needs a time'],
    [['--until', '2026-02-30'], '--until needs a time'],
    [['--limit', '0'], '--limit needs a whole number'],
    [['--after', '-1'], '--after needs a whole number']
  ])('%j is exit 2', async (options, why) => {
    expect(await run('log', ...options)).toMatchObject({ code: 2, err: expect.stringContaining(why) })
  })
})
