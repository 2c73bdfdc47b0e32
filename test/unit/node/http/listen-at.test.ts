import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listenAt } from '../../../../src/node/http/server.ts'

test('a port that stays taken may be tried for ever: no try leaves a listener behind', async () => {
  await using other = createServer()
  const port = await listenAt(other as ReturnType<typeof createHttpServer>, '::1', 0)
  const server = createHttpServer()
  for (let tried = 0; tried < 3; tried++) await expect(listenAt(server, '::1', port)).rejects.toThrow('EADDRINUSE')
  expect({ listening: server.listenerCount('listening'), error: server.listenerCount('error') }).toEqual({
    listening: createHttpServer().listenerCount('listening'),
    error: 0
  })
})
