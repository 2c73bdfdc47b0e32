import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Authority } from '../src/dns/authority.ts'
import { Zone } from '../src/dns/zone.ts'
import { dataFiles } from '../src/node/config/paths.ts'
import type { Bench, Benchmark, Figure, Plan, Row } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { benchConfig, liftedLimits, rootName } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { sum } from './harness/rows.ts'
import type { BareClientsMethods } from './processes/bare/clients.ts'
import type { BareServerMethods } from './processes/bare/server.ts'
import type { FloorsMethods } from './processes/floors.ts'
import type { ResolvingMethods } from './processes/resolving.ts'
import type { RootMethods } from './processes/root.ts'

const domain = 'bench.test'
const registries = ['2001:db8::1', '2001:db8::2', '2001:db8::3']
/** Sizes of an answer with the addresses, of an answer with one row, and of what a signature is over. */
const [answerBytes, rowBytes, signedBytes] = [130, 900, 300]

export const resolve: Benchmark = {
  name: 'resolve',
  title: 'Resolve in DNS, discover at a registry, verify a membership',
  how: `One after the other, each on its own, nothing kept from one to the next. DNS: the addresses of ${registries.length} registries from a name
server on the same machine, by the resolver of a node. Registry: a lookup by name over a connection that is there, each on a stream of its own, and
the record that comes is verified. Membership: the admit entry that a member shows in its hello is verified against the log that is held. Limits of how
often a peer may ask are lifted. Floors: a datagram of the size of the answer echoed on the same machine; a frame of the size of the answer echoed over bare libp2p on a
stream of its own, and one signature verified; one signature verified.`,
  parameters: { questions: 1_000, members: 10_000 },
  quick: { questions: 20, members: 120 },

  async prepare(bench: Bench): Promise<Plan> {
    const { questions = 0, members = 0 } = bench.parameters
    const [folder, copy] = [
      await networkFolder(bench, { members, records: true }),
      await networkFolder(bench, { members, records: true })
    ]
    const root = new Child<RootMethods>('root')
    const names = await Authority.start(zone())
    const resolving = new Child<ResolvingMethods>('resolving')
    const floors = new Child<FloorsMethods>('floors')
    const bareServer = new Child<BareServerMethods>('bare/server')
    const bareClients = new Child<BareClientsMethods>('bare/clients')
    const echo = await echoingSocket()
    await bareClients.call('connect', await bareServer.call('start'), 1)
    const address = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
    const { store } = dataFiles(benchConfig(copy, rootName, { role: 'root' }).paths.data)
    await resolving.call('open', address, members - 1, store)
    return {
      // The first question of a process loads what answers it.
      warmUp: true,
      measures: [
        { name: 'dns', run: async () => ({ ...(await resolving.call('resolve', questions, domain, names.port)) }) },
        { name: 'registry', run: async () => ({ ...(await resolving.call('discover', questions, members)) }) },
        { name: 'membership', run: async () => ({ ...(await resolving.call('verify', questions, members)) }) },
        {
          name: 'datagram',
          run: async () => ({ ...(await floors.call('echoDatagrams', questions, answerBytes, echo.port)) })
        },
        { name: 'echo', run: async () => ({ ...(await bareClients.call('echoOnNewStreams', questions, rowBytes)) }) },
        { name: 'pool', run: async () => ({ ...(await floors.call('verifyEach', questions, signedBytes, 'pool')) }) },
        { name: 'main', run: async () => ({ ...(await floors.call('verifyEach', questions, signedBytes, 'main')) }) }
      ],
      rows: [
        rowOf('resolve from DNS', 'dns', 10, sum('ms p99 of a datagram', ['datagram.p99'])),
        rowOf('discover at the registry', 'registry', 20, sum('ms p99 of echo and verify', ['echo.p99', 'pool.p99'])),
        rowOf('verify a membership', 'membership', 50, sum('ms p99 of one signature', ['main.p99']))
      ],
      [Symbol.asyncDispose]: () => endAll([root, names, echo, resolving, floors, bareClients, bareServer])
    }
  }
}

const zone = (): Zone => {
  const made = new Zone(domain)
  made.set(
    `tnr.${domain}`,
    registries.map((value) => ({ type: 'AAAA', value }))
  )
  return made
}

/** Sends each datagram back. */
const echoingSocket = async (): Promise<AsyncDisposable & { port: number }> => {
  const socket = createSocket('udp6')
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address))
  socket.bind(0, '::1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: async () => {
      socket.close()
    }
  }
}

const rowOf = (what: string, name: string, mostMs: number, floor: Figure): Row => ({
  floor,
  what,
  unit: 'ms p99',
  of: measured(`${name}.p99`).of,
  beside: [measured(`${name}.p50`, 'ms p50')],
  aim: { text: `< ${mostMs} ms`, met: (figure) => figure < mostMs }
})
