import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { controlClient } from '../../../../src/node/api/client.ts'

/** The control socket of a process that does this with each connection. */
async function socketOf(onConnection: (socket: Socket) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-client-'))
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    onConnection(socket)
  })
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const path = join(folder, 'node.sock')
  server.listen(path)
  await once(server, 'listening')
  return path
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n'

test.each([
  ['takes a connection and says nothing, as one that is stopped or has no descriptor left', () => {}],
  ['stops in the middle of its answer', (socket: Socket) => void socket.write(`${head}{`)]
])('a process that %s is named with what to do', async (_, onConnection) => {
  const path = await socketOf(onConnection)
  await expect(controlClient({ path, timeoutMs: 50 }).status()).rejects.toMatchObject({
    name: 'ControlError',
    code: 'TIMEOUT',
    message: `The process at ${path} did not answer in 0.05 s: it is stopped, overloaded, or has no file descriptor left (ulimit -n, LimitNOFILE). Its log says which; then restart it.`
  })
})

test('a call that its caller breaks off ends with the reason of that', async () => {
  const path = await socketOf(() => {})
  const reason = new Error('Ctrl-C')
  await expect(controlClient({ path }).status({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
