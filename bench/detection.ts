import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { networkIdText } from '../src/identity/network-id.ts'
import type { Bench, Benchmark, Figure, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { rootName } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { hasSerf, SerfAgent } from './harness/serf.ts'
import type { NodeMethods } from './processes/node.ts'

type Failure = 'killed' | 'frozen'

const victim = 'victim'
const now = (): number => performance.now()

/** A root and nodes, of which one dies again and again. */
async function startNetwork(bench: Bench, nodes: number) {
  const folder = await networkFolder(bench, { members: 0, records: true, open: true })
  const root = new Child<NodeMethods>('node')
  const all: AsyncDisposable[] = [root]
  await root.call('start', folder, rootName, { role: 'root' })
  const { address, networkId } = await root.call('address')
  const home = join(folder, 'nodes')
  mkdirSync(home)
  const flags = { networkId: networkIdText(networkId), 'bootstrap.peers': [address] }
  const start = async (name: string): Promise<Child<NodeMethods>> => {
    const child = new Child<NodeMethods>('node')
    all.push(child)
    await child.call('start', home, name, flags)
    await child.call('ready')
    return child
  }
  const names = Array.from({ length: nodes - 1 }, (_, index) => `n${index}`)
  const others = [root, ...(await Promise.all(names.map(start)))]
  let dying = await start(victim)
  const online = async (): Promise<void> => {
    await Promise.all(others.map((node) => node.call('showsOnline', victim)))
  }
  const run = async (failure: Failure): Promise<number> => {
    await online()
    const seen = others.map((node) => node.call('showsDown', victim))
    const from = now()
    if (failure === 'killed') await dying.kill()
    else process.kill(dying.pid, 'SIGSTOP')
    await Promise.all(seen)
    const seconds = (now() - from) / 1000
    if (failure === 'frozen') process.kill(dying.pid, 'SIGCONT')
    else dying = await start(victim)
    return seconds
  }
  return { run, stop: async () => await endAll(all) }
}

/** As many agents of serf. */
async function startSerf(nodes: number) {
  const first = await SerfAgent.start('n0')
  const others = [first]
  for (let index = 1; index < nodes; index++) others.push(await SerfAgent.start(`n${index}`, first))
  let started = 0
  // With another name each time: agents do not take one that failed for back at another address.
  const startDying = async (): Promise<SerfAgent> => await SerfAgent.start(`${victim}${++started}`, first)
  let dying = await startDying()
  const run = async (failure: Failure): Promise<number> => {
    await Promise.all(others.map((agent) => agent.says('Join', dying.name)))
    const from = now()
    dying.kill(failure === 'killed' ? 'SIGKILL' : 'SIGSTOP')
    await Promise.all(others.map((agent) => agent.says('Failed', dying.name)))
    const seconds = (now() - from) / 1000
    await dying[Symbol.asyncDispose]()
    dying = await startDying()
    return seconds
  }
  return { run, stop: async () => await endAll([...others, dying]) }
}

const serfOf = (failure: Failure): { floor?: Figure } =>
  hasSerf() ? { floor: { what: 's of serf', of: measured(`serf-${failure}`).of } } : {}

const aims = { killed: 1, frozen: 5 } as const

export const detection: Benchmark = {
  name: 'detection',
  title: 'Detection: a process dies, or stands still',
  how: `A root and nodes in processes of their own; one gets SIGKILL or SIGSTOP, and the time runs until every other one shows it as suspect, with the
reason. Beside it Debian's serf with as many agents and the timings that it has for one machine (\`-profile=local\`), until every agent
says that the member failed; \`apt-get install serf\`, without it that column is empty.`,
  parameters: { nodes: 6 },
  quick: { nodes: 2 },

  async prepare(bench: Bench): Promise<Plan> {
    const { nodes = 0 } = bench.parameters
    const network = await startNetwork(bench, nodes)
    const serf = hasSerf() ? await startSerf(nodes) : undefined
    const failures: Failure[] = ['killed', 'frozen']
    return {
      measures: failures.flatMap((failure) => [
        { name: failure, run: () => network.run(failure) },
        ...(serf === undefined ? [] : [{ name: `serf-${failure}`, run: () => serf.run(failure) }])
      ]),
      rows: failures.map((failure) => ({
        what: `${failure} process, shown by all ${nodes} others`,
        unit: 's',
        of: measured(failure).of,
        ...serfOf(failure),
        aim: { text: `< ${aims[failure]} s`, met: (figure: number) => figure < aims[failure] }
      })),
      [Symbol.asyncDispose]: async () => {
        await serf?.stop()
        await network.stop()
      }
    }
  }
}
