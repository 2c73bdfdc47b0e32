import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { networkIdText } from '../src/identity/network-id.ts'
import type { Bench, Benchmark, Figure, Measure, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { mostWithinOneSecond } from './harness/spread.ts'
import type { BareClientsMethods } from './processes/bare/clients.ts'
import type { BareServerMethods } from './processes/bare/server.ts'
import type { NodeMethods } from './processes/node.ts'
import type { ReturningMethods } from './processes/returning.ts'
import type { RootMethods } from './processes/root.ts'

const outageMs = 4_000
const returningProcesses = 4
const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** New nodes of an open network, all started at the same moment. */
const together = (bench: Bench): Measure => ({
  name: 'nodes',
  run: async () => {
    const { nodes = 0 } = bench.parameters
    const folder = await networkFolder(bench, { members: 0, records: true, open: true })
    const all: AsyncDisposable[] = []
    try {
      const root = new Child<RootMethods>('root')
      all.push(root)
      const { address, networkId } = await root.call('start', folder, {})
      const started = Array.from({ length: nodes }, () => new Child<NodeMethods>('node'))
      all.push(...started)
      // The processes are there and have loaded nothing yet: all of them begin now.
      await Promise.all(started.map((child) => child.usage()))
      const home = join(folder, 'nodes')
      mkdirSync(home)
      const flags = { networkId: networkIdText(networkId), 'bootstrap.peers': [address] }
      const from = machineMs()
      const times = await Promise.all(
        started.map(async (child, index) => {
          await child.call('start', home, `n${index}`, flags)
          const ready = await child.call('ready')
          return { ready, complete: await child.call('lists', nodes + 1) }
        })
      )
      const last = Math.max(...times.map(({ ready }) => ready))
      return {
        seconds: Math.max(0, Math.max(...times.map(({ complete }) => complete)) - last) / 1000,
        ready: (last - from) / 1000
      }
    } finally {
      await endAll(all)
    }
  }
})

/** A root that is killed and comes back on its port, as a service manager starts it. */
async function afterOutage(bench: Bench) {
  const { members = 0 } = bench.parameters
  const folder = await networkFolder(bench, { members: members + 1, records: true })
  let root = new Child<RootMethods>('root')
  const address = await root.call('start', folder, {})
  const clients = Array.from({ length: returningProcesses }, () => new Child<ReturningMethods>('returning'))
  const share = Math.ceil(members / returningProcesses)
  const counts = clients.map((_, index) => Math.min(share, members - index * share))
  bench.progress(`registering ${members} members`)
  await Promise.all(
    clients.map((client, index) =>
      client.call('start', address, 1 + index * share, 1 + index * share + (counts[index] ?? 0), members)
    )
  )
  await Promise.all(clients.map((client, index) => client.call('back', counts[index] ?? 0)))
  const measure: Measure = {
    name: 'outage',
    run: async () => {
      await root.kill()
      await Promise.all(clients.map((client) => client.call('expect')))
      await pause(outageMs)
      root = new Child<RootMethods>('root')
      await root.call('start', folder, { 'listen.port': address.port })
      const from = machineMs()
      const back = (await Promise.all(clients.map((client, index) => client.call('back', counts[index] ?? 0)))).flat()
      const tries = (await Promise.all(clients.map((client) => client.call('tries')))).reduce((a, b) => a + b)
      const refusals = (await Promise.all(clients.map((client) => client.call('refusals')))).flat()
      const { offline = 0 } = await root.call('states')
      for (const why of new Set(refusals)) bench.progress(`refused: ${why}`)
      return {
        seconds: (Math.max(...back) - from) / 1000,
        peak: mostWithinOneSecond(back),
        tries: tries / members,
        offline,
        refused: refusals.length
      }
    }
  }
  return { measure, stop: async () => await endAll([root, ...clients]) }
}

/** What as many connections cost without anything on them. */
const dialsOf = (count: number): Figure => ({
  what: `s for ${count.toLocaleString('en-US')} bare dials`,
  of: (round) => count / measured('dials').of(round)
})

export const joins: Benchmark = {
  name: 'joins',
  title: 'Nodes that start together, and members that come back',
  how: `Nodes: whole nodes of the product in processes of their own, new to an open network and started at the same moment; the time runs from
the last one's "ready" until every one lists every other as up, with its record. Members that come back: each a libp2p host with the product's
hello and session and its pauses between tries (full jitter, 10 ms for each member at first); the root is killed, is away for ${outageMs / 1000} s, and starts again with its default limits;
the time runs from its listening until all have registered. Floor: as many dials of bare libp2p, eight at a time.`,
  parameters: { nodes: 20, members: 1_000, dials: 200 },
  quick: { nodes: 2, members: 8, dials: 8 },

  async prepare(bench: Bench): Promise<Plan> {
    const { nodes = 0, members = 0, dials = 0 } = bench.parameters
    const outage = await afterOutage(bench)
    const bareServer = new Child<BareServerMethods>('bare/server')
    const bareClients = new Child<BareClientsMethods>('bare/clients')
    const bareAddress = await bareServer.call('start')
    return {
      measures: [
        together(bench),
        outage.measure,
        { name: 'dials', run: () => bareClients.call('connect', bareAddress, dials) }
      ],
      rows: [
        {
          what: `${nodes} nodes, until everyone lists everyone`,
          unit: 's after the last is ready',
          of: measured('nodes.seconds').of,
          floor: dialsOf(nodes),
          beside: [measured('nodes.ready', 's from start to the last ready')],
          aim: { text: '< 2 s', met: (figure) => figure < 2 }
        },
        {
          what: `${members.toLocaleString('en-US')} members back after an outage of ${outageMs / 1000} s`,
          unit: 's',
          of: measured('outage.seconds').of,
          floor: dialsOf(members),
          beside: [
            measured('outage.refused', 'refused'),
            measured('outage.offline', 'called offline'),
            measured('outage.peak', 'back in the busiest second'),
            measured('outage.tries', 'tries of each'),
            measured('dials', 'bare dials/s')
          ],
          aim: { text: '< 30 s', met: (figure) => figure < 30 }
        }
      ],
      [Symbol.asyncDispose]: async () => {
        await outage.stop()
        await endAll([bareServer, bareClients])
      }
    }
  }
}
