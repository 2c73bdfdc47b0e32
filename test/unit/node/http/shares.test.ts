import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { shares } from '../../../../src/node/http/shares.ts'

test('a route has one share of the time, whatever name stands in its path', async () => {
  const exceeded: string[] = []
  const shared = shares(new AbortController().signal, (limit) => exceeded.push(limit))
  const slowly = async (id: string): Promise<string> => {
    await sleep(1_500)
    return id
  }
  const app = new Hono()
  app.get('/documents/:id', (c) => shared(c, 'text/plain', async () => await slowly(c.req.param('id'))))
  app.get('/peers', (c) => shared(c, 'text/plain', () => 'peers'))
  app.onError(({ name }, c) => c.text(name, 503))
  const ask = async (path: string): Promise<string> =>
    await (await app.request(path, {}, { incoming: { socket: {} } })).text()
  expect(await ask('/documents/plan')).toBe('plan')
  // Making the first answer took so long that the turn of another one would come too late.
  expect(await ask('/documents/other')).toBe('LimitError')
  expect(await ask('/documents/plan')).toBe('plan')
  expect(await ask('/peers')).toBe('peers')
  expect(exceeded).toEqual(['http.waiting'])
})
