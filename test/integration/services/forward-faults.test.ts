import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAll } from '../../helpers/hosts/forward-members.ts'
import { type NodeProcess, spawnNode } from '../../helpers/hosts/node-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
let killed: NodeProcess
let frozen: NodeProcess
const servers: Server[] = []

/** A service of this machine that greets, and sends back what it is sent. */
const startService = async (greeting: string): Promise<string> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.write(greeting)
    socket.pipe(socket)
  }).listen(0, '::1')
  servers.push(server)
  await once(server, 'listening')
  return `[::1]:${(server.address() as AddressInfo).port}`
}

/** A member in a process of its own, with a service that it has exposed before it was started. */
const memberWith = async (name: string, service: string): Promise<NodeProcess> => {
  const { data } = network.config(name).config.paths
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const exposed = [{ name: service, to: await startService(`${name} `) }]
  writeFileSync(join(data, 'exposed.json'), JSON.stringify(exposed), { mode: 0o600 })
  return await spawnNode(network, name)
}

beforeAll(async () => {
  network = await TestNetwork.create()
  const member = await network.join('a', { 'protocols.forward.open': '4s' })
  ;[killed, frozen] = await Promise.all([memberWith('killed', 'echo'), memberWith('frozen', 'web')])
  const other = await network.join('other')
  other.forwards.expose('web', await startService('other '))
  await eventually(
    () =>
      member.registry.lookup({ service: 'web' }).rows.length === 2 &&
      member.registry.lookup({ service: 'echo' }).rows.length === 1
  )
})
afterAll(async () => {
  for (const server of servers) server.close()
  await killed[Symbol.asyncDispose]()
  await frozen[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

const dial = (address: string): Socket => {
  const socket = connect({ host: '::1', port: Number(/:(\d+)$/.exec(address)?.[1]), allowHalfOpen: true })
  return socket.on('error', () => {})
}

const closing = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

test('a far end that is killed in the middle is a connection that is reset, and then a member that cannot be reached', async () => {
  const { forwards } = network.node('a')
  await using listener = await forwards.listen({ peer: 'killed', service: 'echo' })
  const socket = dial(listener.address)
  const [greeting] = (await once(socket, 'data')) as [Buffer]
  expect(greeting.toString()).toBe('killed ')
  let ended = false
  socket.on('end', () => {
    ended = true
  })
  const closed = closing(socket)
  socket.write(Buffer.alloc(2 ** 20))
  await killed.kill()
  socket.resume()
  await closed
  expect(ended).toBe(false)
  await eventually(() => forwards.live.list().length === 0 && listener.open === 0)
  const refusals: string[] = []
  await using again = await forwards.listen(
    { peer: 'killed', service: 'echo' },
    { onFailed: ({ message }) => refusals.push(message) }
  )
  await eventually(async () => {
    await closing(dial(again.address).resume())
    return /killed cannot be reached at .*: /.test(refusals.at(-1) ?? '')
  })
})

test('a member that is silent keeps nobody from another one that has the service', async () => {
  const { forwards } = network.node('a')
  frozen.freeze()
  const call = async (peer?: string): Promise<string> => {
    const bytes = await forwards.call({ peer, service: 'web' })
    bytes.end()
    return (await readAll(bytes)).toString()
  }
  const alone = call('frozen').catch((error: Error) => error.message)
  // Whoever is asked first is a matter of chance where no round trip is known.
  expect(await Promise.all([call(), call(), call()])).toEqual(['other ', 'other ', 'other '])
  expect(await alone).toMatch(/frozen (did not answer in time|cannot be reached)/)
})

test('a connection that waits for its turn has all of its time when that comes', async () => {
  const { forwards } = await network.join('patient', { 'protocols.forward.open': '6s', 'protocols.forward.opening': 1 })
  const call = async (): Promise<string> => {
    const bytes = await forwards.call({ peer: 'frozen', service: 'web' })
    bytes.end()
    return (await readAll(bytes)).toString()
  }
  frozen.thaw()
  await eventually(async () => (await call().catch(() => '')) === 'frozen ')
  frozen.freeze()
  const first = call().catch((error: Error) => error.message)
  const next = call()
  expect(await first).toMatch(/frozen (did not answer in time|cannot be reached)/)
  frozen.thaw()
  expect(await next).toBe('frozen ')
})
