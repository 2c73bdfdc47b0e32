import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { type Answer, Share, shares } from '../../../../src/node/http/share.ts'

const answer: Answer = { bytes: new TextEncoder().encode('answer'), status: 200 }

test('an answer that took long is given again, and who asks another thing is told to come back', async () => {
  const share = new Share(new AbortController().signal)
  const slow = async (): Promise<Answer> => {
    await sleep(700)
    return answer
  }
  expect(await share.answer('/log?after=1', slow)).toBe(answer)
  expect(await share.answer('/log?after=1', slow)).toBe(answer)
  // Its connection would be closed for silence before its turn came.
  await expect(share.answer('/log?after=2', slow)).rejects.toMatchObject({ name: 'LimitError' })
})

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
