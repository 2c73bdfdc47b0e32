import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { readAll } from '../../helpers/hosts/forward-members.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { recordBy } from '../../helpers/real-network.ts'
import { attack, control } from '../attack.ts'

let network: TestNetwork
let a: TrustNode
let eve: TrustNode
const servers: Server[] = []
/** Connections that each one's service has had. */
const reached = new Map<string, number>()

/** A service that says whose it is, and goes on sending where it is told to. */
async function startService(name: string, isEndless = false): Promise<string> {
  const server = createServer((socket) => {
    reached.set(name, (reached.get(name) ?? 0) + 1)
    socket.on('error', () => {})
    if (isEndless) {
      const timer = setInterval(() => socket.write(name), 5)
      socket.once('close', () => clearInterval(timer))
    } else socket.end(name)
  })
  servers.push(server)
  server.listen(0, '::1')
  await once(server, 'listening')
  return `[::1]:${(server.address() as AddressInfo).port}`
}

const announcing = (): number => a.registry.lookup({ service: 'web' }).rows.length
const called = async (): Promise<string> => {
  const bytes = await a.forwards.call({ service: 'web' })
  bytes.end()
  return (await readAll(bytes)).toString()
}

beforeAll(async () => {
  network = await TestNetwork.create()
  a = await network.join('a')
  eve = await network.join('eve')
  eve.forwards.expose('web', await startService('eve'))
  await eventually(() => announcing() === 1)
})
afterAll(async () => {
  for (const server of servers.splice(0)) server.close()
  await network[Symbol.asyncDispose]()
})

afterEach(() => vi.restoreAllMocks())

describe('a member that exposes the name of the service of another', () => {
  control('is called by whoever takes any member, where no rule says who is meant', async () => {
    await eventually(async () => (await called().catch(() => '')) === 'eve')
    expect(reached.get('eve')).toBeGreaterThan(0)
  })

  attack('in mass, so that each connection to any of them looks at all', async () => {
    const { registry, forwards } = network.node('root')
    const { networkId, admission, records, liveness } = registry
    const liars = Array.from({ length: 100 }, () => SigningKey.generate())
    for (const [index, key] of liars.entries()) {
      const wish = { networkId, key, name: `liar-${index}`, role: 'integrated' as const, timeMs: Date.now() }
      await admission.join({ join: makeJoin(wish) })
      const services = [{ name: 'mass', port: 80, protocol: 'tcp' as const, tags: [], state: 'unknown' as const }]
      expect(await records.put(recordBy(registry, key, 1, { services }))).toMatchObject({ accepted: true })
    }
    for (const { publicKey } of liars) liveness.open(publicKey, randomBytes(16))
    expect(registry.lookup({ service: 'mass', state: 'online' }).rows).toHaveLength(liars.length)
    const looked = vi.spyOn(records, 'read')
    const controller = new AbortController()
    const call = forwards.call({ service: 'mass' }, { signal: controller.signal })
    controller.abort(new Error('it is counted'))
    await expect(call).rejects.toThrow('it is counted')
    const { length } = looked.mock.calls
    expect(length).toBeGreaterThan(0)
    expect(length).toBeLessThan(40)
    return {
      happened: `${liars.length} are online with the name: ${length} records read for a connection`,
      held: '8 candidates'
    }
  })

  attack('to have what is sent to any member that has it', async () => {
    const hal = await network.join('hal')
    hal.forwards.expose('web', await startService('hal'))
    const { control: operator } = network.node('root')
    await operator.changeMember({ peer: 'hal', groups: ['web-servers'] })
    await operator.setPolicy({ rules: [{ from: '*', to: 'web-servers', service: 'web' }], force: true })
    const { state } = a.registry.replica
    await eventually(() => state.policy.rules.length === 1 && state.memberByName('hal')?.groups.length === 1)
    await eventually(() => announcing() === 2)
    reached.clear()
    const calls = 20
    await eventually(async () => (await called().catch(() => '')) === 'hal')
    for (let i = 0; i < calls; i++) expect(await called()).toBe('hal')
    hal.forwards.unexpose('web')
    await eventually(() => announcing() === 1)
    await expect(called()).rejects.toThrow('no rule of the policy')
    expect(reached.get('eve')).toBeUndefined()
    return {
      happened: `${calls} calls reach the one that the rule means, none the other, also when the right one has it no more`,
      held: 'a caller that takes any member takes those that the rules let it call'
    }
  })
})

describe('a member that serves a call when it is revoked', () => {
  control('goes on sending while it is a member, and whoever calls takes it', async () => {
    await network.node('root').control.setPolicy({ rules: [], force: true })
    await eventually(() => a.registry.replica.state.policy.rules.length === 0)
    eve.forwards.expose('endless', await startService('endless', true))
    const bytes = await a.forwards.call({ peer: 'eve', service: 'endless' })
    let received = 0
    bytes.on('error', () => {}).on('data', (chunk: Buffer) => (received += chunk.length))
    await eventually(() => received > 500)
    bytes.destroy()
  })

  attack('and goes on sending, whatever its own program should end', async () => {
    const { control: operator } = network.node('root')
    const stays = await network.join('stays')
    stays.forwards.expose('endless', await startService('stays', true))
    const open = async (peer: string) => {
      const bytes = await a.forwards.call({ peer, service: 'endless' })
      let received = 0
      bytes.on('error', () => {}).on('data', (chunk: Buffer) => (received += chunk.length))
      return () => received
    }
    const [ofEve, ofOther] = [await open('eve'), await open('stays')]
    await eventually(() => ofEve() > 0 && ofOther() > 0)
    // Her program ends nothing by itself.
    eve.forwards.live.recheck = () => {}
    const [live] = a.forwards.live.list().filter(({ peer }) => peer === eve.peerId)
    await operator.revoke({ peer: 'eve', reason: 'stolen' })
    expect(await live?.done).toBeInstanceOf(Error)
    const [atTheEnd, before] = [live?.bytesIn, ofOther()]
    // The other one goes on sending meanwhile.
    await eventually(() => ofOther() > before + 50)
    expect(live?.bytesIn).toBe(atTheEnd)
    await expect(a.forwards.call({ peer: 'eve', service: 'endless' })).rejects.toThrow(Error)
    return {
      happened: 'the forward to it ends, and not a byte more comes; one to another member goes on',
      held: 'the caller looks again at who is a member after each entry of the log'
    }
  })
})
