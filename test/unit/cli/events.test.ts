import { expect, test } from 'vitest'
import type { Input } from '../../../src/node/api/control-api.ts'
import { ControlHome, runCli, ScriptedApi } from '../../helpers/control-process.ts'

test('each page of events --since is asked for from that time on', async () => {
  await using home = await ControlHome.create()
  const api = new ScriptedApi()
  const asked: Input<'history'>[] = []
  api.history = async (query = {}) => {
    asked.push(query)
    return { firstId: 1, lastId: 9000, events: [], next: asked.length < 3 ? asked.length * 1000 : null }
  }
  await home.serve('hal', api)
  await runCli(['events', '--since', '1d', '--member', 'hal'], { home: home.folder })
  const times = asked.map((query) => query.sinceMs)
  expect(times[0]).toBeGreaterThan(0)
  expect(times).toEqual([times[0], times[0], times[0]])
  expect(asked.map((query) => [query.after, query.peer])).toEqual([
    [undefined, 'hal'],
    [1000, 'hal'],
    [2000, 'hal']
  ])
})

test('events say a state once, and what follows the names stands in one column', async () => {
  await using home = await ControlHome.create()
  const api = new ScriptedApi()
  const event = {
    id: 1,
    atMs: 0,
    type: 'state',
    before: 'online',
    state: 'left',
    reason: 'left: left: stopped'
  } as const
  const source = { peerId: 'a', name: 'root' }
  const events = [
    { ...event, member: { peerId: 'b', name: 'a-long-name' }, source },
    { ...event, member: { peerId: 'c', name: 'hal' }, source, reason: 'left' }
  ]
  api.history = async () => ({ firstId: 1, lastId: 2, events, next: null })
  await home.serve('hal', api)
  const { out } = await runCli(['events'], { home: home.folder })
  expect(out).toMatch(/ {2}a-long-name {2}online → left: stopped \(says root\)\n.* {2}hal {10}online → left/)
  expect(out).not.toContain('left: left')
})

test('the line of an invite where a name or an id belongs is called one, and not repeated', async () => {
  await using home = await ControlHome.create()
  await home.serve('hal', new ScriptedApi())
  const line = `tnet1${'abcDEF0123456789'.repeat(12)}`
  for (const words of [['invite', 'show'], ['lookup'], ['invite', 'cancel'], ['why']]) {
    const { code, out, err } = await runCli([...words, line], { home: home.folder })
    expect(`${code} ${words.join(' ')}: ${err}`).toMatch(/^2 .*the line of an invite/)
    expect(out + err).not.toContain('abcDEF')
  }
})

test('a version says nothing of what is not known', async () => {
  await using home = await ControlHome.create()
  const { out } = await runCli(['version'], { home: home.folder })
  expect(out).toMatch(/^trustnet \S+(, commit \w+)?(, built \S+)?, node \S+\n$/)
})
