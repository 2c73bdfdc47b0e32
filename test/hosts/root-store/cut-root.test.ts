import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../../helpers/network.ts'
import { hasPostgres, PostgresServer } from '../../helpers/servers/postgres.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostMembers } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const reason = hasPostgres ? whyNoNamespaces() : "needs Debian's postgresql-15"
const limitMs = 180_000

describeUnless(reason)('a root that reaches the database of the log and no member', () => {
  let server: PostgresServer
  let network: HostNetwork
  let members: HostMembers

  beforeAll(async () => {
    server = await PostgresServer.start()
    network = new HostNetwork(['root', 'second', 'node', 'late'])
    members = new HostMembers(network, 'cut.test')
    members.found()
    // A socket is reached from every namespace, with and without a cable.
    const store = { TRUSTNET_ROOT_STORE: server.socketUrl }
    members.env.set('root', store)
    members.registry('root')
    const appends = async (): Promise<boolean> => (await members.client('root').registryStatus()).appends
    await eventually(async () => await appends().catch(() => false))
    await members.join('second', 'secondary')
    await members.join('node', 'integrated')
    const logKey = (name: string): string => join(network.host(name).folder, 'home', 'data', name, 'log.key')
    await members.status(['second', 'node'], limitMs, ({ membership }) => membership.state === 'member')
    copyFileSync(logKey('root'), logKey('second'))
    await members.end('second', 'SIGTERM')
    members.env.set('second', store)
    members.registry('second')
  })

  afterAll(async () => {
    network?.[Symbol.dispose]()
    await server?.[Symbol.asyncDispose]()
  })

  const lease = async () => (await server.sql('SELECT holder, term::int AS term FROM trustnet_root'))[0]
  const others = ['second', 'node']

  it('stays the root, and who joins meanwhile waits; there is one history when it is back', async () => {
    await eventually(async () => (await members.client('root').registryStatus()).rootStore?.candidates.length === 1)
    const before = await lease()
    network.cable('root', 'down')
    await members.peers(others, limitMs, (rows) => rows.get('root')?.state !== 'online')
    const { peerId } = (await members.client('second').status()).self
    members.nodeAt('late', `/ip6/${network.host('second').address}/tcp/8000/p2p/${peerId}`)
    await members.status(['late'], limitMs, ({ membership }) => membership.state !== 'member')
    expect(await lease()).toEqual(before)
    network.cable('root', 'up')
    await members.status(['late'], limitMs, ({ membership }) => membership.state === 'member')
    const { sync } = await members.client('root').status()
    await members.status([...others, 'late'], limitMs, (status) => status.sync.headHash === sync.headHash)
    expect(await lease()).toEqual(before)
  })
})
