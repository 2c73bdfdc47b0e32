import { createServer as createHttp } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { attack, control } from '../attack.ts'

let network: TestNetwork
const servers: Server[] = []
const sockets = new Set<Socket>()

beforeEach(async () => {
  network = await TestNetwork.create()
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
  await network[Symbol.asyncDispose]()
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Answers of a program that has taken the port of a service, by what is tried with each. */
const answers = new Map<string, (socket: Socket, elsewhere: number) => void>([
  [
    'leads to another port',
    (socket, elsewhere) => socket.end(`HTTP/1.1 307 x\r\nlocation: http://[::1]:${elsewhere}/admin\r\n\r\n`)
  ],
  ['changes the protocol', (socket) => socket.write('HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')],
  [
    'never ends its answer',
    (socket) => {
      socket.write('HTTP/1.1 200 x\r\n\r\n')
      const more = (error?: Error | null): void => {
        if (!error && !socket.destroyed) socket.write(Buffer.alloc(65_536), more)
      }
      more()
    }
  ],
  [
    'never ends its head',
    (socket) => {
      socket.write('HTTP/1.1 200 x\r\n')
      const more = (error?: Error | null): void => {
        if (!error && !socket.destroyed) socket.write(`x-more: ${'a'.repeat(1_000)}\r\n`, more)
      }
      more()
    }
  ],
  ['answers twice', (socket) => socket.write('HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n'.repeat(1_000))],
  ['closes', (socket) => socket.destroy()]
])

/** What the node says of the last check, whose answers are all like this. */
async function checked(node: TrustNode, answer: (socket: Socket) => void): Promise<string> {
  let asked = 0
  const port = await listening(
    createServer((socket) => {
      asked++
      socket.once('data', () => answer(socket))
    })
  )
  const name = `s${port}`
  await node.control.addService({ name, port, check: `http://[::1]:${port}/`, everyMs: 1_000 })
  const result = async () => (await node.control.services()).services.find((each) => each.name === name)?.result
  // The check behind this one shows that it has ended.
  await eventually(async () => asked > 1 && typeof (await result()) === 'string')
  const said = (await result()) ?? ''
  await node.control.removeService({ name })
  return said
}

describe('a program that has taken the port of a service, and what checks it', () => {
  attack('keeps the check, leads it elsewhere, or fills the memory', async () => {
    let reached = 0
    const elsewhere = await listening(createHttp((_, response) => response.end(String(++reached))))
    const node = await network.join('hal')
    const said: string[] = []
    for (const [what, answer] of answers) {
      said.push(`${what}: ${await checked(node, (socket) => answer(socket, elsewhere))}`)
    }
    expect(reached).toBe(0)
    // A check that hangs would keep it from stopping.
    await node.stop()
    await eventually(() => sockets.size === 0)
    return { happened: said.join('; '), held: 'the head of an answer ends a check, and so does its connection' }
  })

  attack('or whoever names the check has the node ask other machines', async () => {
    const node = await network.join('hal')
    const urls = [
      'http://[2001:db8::1]:80/',
      'http://localhost:80/',
      'http://[::1]@example.org/',
      'https://[::1]:80/',
      'http://[::ffff:7f00:1]:80/',
      'http://0x7f.1:80/',
      'file:///etc/passwd',
      'http://[::1]:80/\r\nx: y'.repeat(20)
    ]
    for (const check of urls)
      await expect(node.control.addService({ name: 'web', port: 80, check }), check).rejects.toThrow(
        /this machine alone/
      )
    expect((await node.control.services()).services).toEqual([])
    return { happened: `${urls.length} addresses: none was taken`, held: 'a check is tcp, or http at [::1]' }
  })

  control('an honest one is asked where its check says, and passes', async () => {
    const node = await network.join('hal')
    expect(await checked(node, (socket) => socket.end('HTTP/1.1 204 x\r\n\r\n'))).toBe('answered 204')
  })
})
