import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TrustNode } from '../../../src/node/node.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

let network: TestNetwork
let server: Server
let isWell: boolean
beforeEach(async () => {
  isWell = true
  server = createServer((_, response) => {
    response.writeHead(isWell ? 200 : 503).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
  network = await TestNetwork.create()
})
afterEach(async () => {
  await network[Symbol.asyncDispose]()
  server.close()
})

const healthy = async (node: TrustNode, service: string, tag?: string): Promise<(string | null)[]> => {
  const { rows } = await node.control.lookup({ service, healthy: true, ...(tag !== undefined && { tag }) })
  return rows.map(({ name }) => name)
}

test('a service is found by its name and tag while its check passes, and not under maintenance', async () => {
  const root = network.node('root')
  const hal = await network.join('hal')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo
  const check = `http://[::1]:${port}/health`
  await hal.control.addService({ name: 'web', port, tags: ['blue'], check, everyMs: 1000 })
  const stateAtRoot = async (): Promise<string | undefined> =>
    (await root.control.lookup({ service: 'web' })).rows[0]?.services[0]?.state
  await eventually(async () => (await stateAtRoot()) === 'passing')
  expect(await healthy(root, 'web', 'blue')).toEqual(['hal'])
  expect(await healthy(root, 'web', 'green')).toEqual([])
  await expect(root.control.lookup({ healthy: true })).rejects.toThrow(/name it/)

  const metrics = async () => (await hal.control.metrics()).lines
  expect(await metrics()).toContain('trustnet_service_state{service="web",state="passing"} 1')
  expect((await metrics()).join()).toMatch(/trustnet_service_checks_total\{service="web",result="passed"\} [1-9]/)

  isWell = false
  await eventually(async () => (await stateAtRoot()) === 'failing')
  expect(await healthy(root, 'web')).toEqual([])
  expect((await hal.control.services()).services).toMatchObject([{ state: 'failing', result: 'answered 503' }])
  await hal.control.removeService({ name: 'web' })
  await eventually(async () => (await root.control.lookup({ service: 'web' })).rows.length === 0)

  using db = hal.announce({ name: 'db', port: 5432 })
  await hal.handle('/test/chat/1.0.0', () => {}, { announce: { name: 'chat', tags: ['v1'] } })
  await eventually(
    async () => (await healthy(root, 'db')).length === 1 && (await healthy(root, 'chat', 'v1')).length === 1
  )
  await hal.control.maintenance({ on: true, reason: 'new disk' })
  await eventually(async () => (await healthy(root, 'db')).length === 0)
  const { rows } = await root.control.lookup({ service: 'db' })
  expect(rows).toMatchObject([{ state: 'online', maintenance: { reason: 'new disk' } }])
  expect(rows[0]?.services.map(({ state }) => state)).toEqual(['maintenance', 'maintenance'])
  expect((await hal.control.status()).maintenance?.reason).toBe('new disk')
  expect(await metrics()).toContain('trustnet_maintenance 1')
  await hal.control.maintenance({ on: false })
  await eventually(async () => (await healthy(root, 'db')).length === 1)
  db[Symbol.dispose]()
  await eventually(async () => (await root.control.lookup({ service: 'db' })).rows.length === 0)
})

test('a registry under maintenance gets new leases after the others', async () => {
  const root = network.node('root')
  const second = await network.join('second', { role: 'secondary' })
  await root.control.maintenance({ on: true, reason: 'new disk' })
  await eventually(async () => (await second.control.lookup({ peer: 'root' })).rows[0]?.maintenance !== null)
  const hal = await network.join('hal')
  await eventually(async () => (await hal.control.lookup({ peer: 'root' })).rows[0]?.maintenance !== null)
  await eventually(async () => (await hal.control.peers()).peers.some(({ name }) => name === 'second'))
  await hal.stop()
  const again = await network.start('hal')
  await again.joined()
  const { registry } = await again.control.status()
  expect(registry.lease?.name).toBe('second')
})
