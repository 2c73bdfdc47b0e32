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
