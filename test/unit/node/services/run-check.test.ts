import { createServer as createHttp, type Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { runCheck } from '../../../../src/node/services/run-check.ts'
import { ceilingMs } from '../../../helpers/ceiling.ts'

const servers: (Server | HttpServer)[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of servers.splice(0)) server.close()
})

const listening = async (server: Server | HttpServer): Promise<number> => {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return (server.address() as AddressInfo).port
}

const answering = (head: string, then: (socket: Socket) => void = () => {}): Promise<number> =>
  listening(
    createServer((socket) => {
      socket.once('data', () => {
        socket.write(head)
        then(socket)
      })
    })
  )

const never = new AbortController().signal
const http = (port: number, timeoutMs = ceilingMs) =>
  runCheck({ check: `http://[::1]:${port}/health`, port, timeoutMs }, never)

describe('a check of a service', () => {
  it('tcp passes where something listens', async () => {
    const port = await listening(createServer())
    expect(await runCheck({ check: 'tcp', port, timeoutMs: ceilingMs }, never)).toEqual({
      passed: true,
      detail: 'takes connections'
    })
  })

  it('fails where nothing does', async () => {
    const server = createServer()
    const port = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    const refused = { passed: false, detail: 'nothing listens there' }
    expect(await runCheck({ check: 'tcp', port, timeoutMs: ceilingMs }, never)).toEqual(refused)
    expect(await http(port)).toEqual(refused)
  })

  it.each([
    [200, true],
    [204, true],
    [302, true],
    [404, false],
    [503, false]
  ])('http: %i', async (status, passed) => {
    const paths: (string | undefined)[] = []
    const server = createHttp((request, response) => {
      paths.push(request.url)
      response.writeHead(status, { location: 'http://[::1]:1/elsewhere' }).end()
    })
    const port = await listening(server)
    expect(await http(port)).toEqual({ passed, detail: `answered ${status}` })
    expect(paths).toEqual(['/health'])
  })

  it('one that hangs has failed when its time is over', async () => {
    const port = await listening(createServer())
    expect(await http(port, 200)).toEqual({ passed: false, detail: 'no answer within 0.2 s' })
  })

  it('an answer that never ends passes by its head, and its connection is closed', async () => {
    const closed = Promise.withResolvers<void>()
    const port = await answering('HTTP/1.1 200 OK\r\n\r\n', (socket) => {
      const more = (): void => {
        if (!socket.destroyed) socket.write(Buffer.alloc(65_536), more)
      }
      socket.on('close', () => closed.resolve())
      more()
    })
    expect(await http(port)).toEqual({ passed: true, detail: 'answered 200' })
    await closed.promise
  })

  it('a head that never ends fails at the limit of a head, long before it fills the memory', async () => {
    let sent = 0
    const port = await answering('HTTP/1.1 200 OK\r\n', (socket) => {
      const more = (): void => {
        if (socket.destroyed || sent > 64 * 1024 * 1024) return
        sent += 1024
        socket.write(`x-more: ${'a'.repeat(1014)}\r\n`, more)
      }
      more()
    })
    expect((await http(port)).passed).toBe(false)
    expect(sent).toBeLessThan(16 * 1024 * 1024)
  })

  it('what is no HTTP fails', async () => {
    const port = await answering('SSH-2.0-OpenSSH_9.2\r\n')
    expect(await http(port)).toEqual({ passed: false, detail: 'it speaks no HTTP' })
  })

  it('ends with the signal', async () => {
    const port = await listening(createServer())
    const ended = new AbortController()
    const checking = runCheck({ check: `http://[::1]:${port}/`, port }, ended.signal)
    ended.abort(new Error('over'))
    await expect(checking).rejects.toThrow('over')
  })
})
