import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { networkIdText } from '../../src/identity/network-id.ts'
import type { Bench, Benchmark, Plan } from '../harness/benchmark.ts'
import { Child, endAll } from '../harness/child.ts'
import { networkFolder } from '../harness/network-folder.ts'
import { measured } from '../harness/rounds.ts'
import type { NodeMethods } from '../processes/node.ts'
import type { WitnessingMethods } from '../processes/witnessing.ts'

const needed = 2

export const witnesses: Benchmark = {
  name: 'witnesses',
  title: 'Heads that witnesses sign',
  how: `A root and secondaries, each in a process of its own, all of which sign the heads of the log. "Witnessed" runs from the moment in which an admission has been answered, its
checkpoint signed and on the disk, until the words of two of them have come back to the root: the push to the secondary, its verification and commit, its mark on the disk, and the push back.
Admissions are made at the root itself, each with an invite of its own, with a policy that needs two witnesses and with one that needs none; the secondaries sign all the same.`,
  parameters: { secondaries: 3, heads: 100, joins: 1_000, inFlight: 64 },
  quick: { secondaries: 3, heads: 5, joins: 64, inFlight: 64 },

  async prepare(bench: Bench): Promise<Plan> {
    const { secondaries = 0, heads = 0, joins = 0, inFlight = 0 } = bench.parameters
    const folder = await networkFolder(bench, { members: 0, records: true })
    const root = new Child<WitnessingMethods>('witnessing')
    const all: AsyncDisposable[] = [root]
    const { address, networkId } = await root.call('start', folder)
    const home = join(folder, 'nodes')
    mkdirSync(home)
    const common = { role: 'secondary', networkId: networkIdText(networkId), 'bootstrap.peers': [address] }
    for (let index = 0; index < secondaries; index++) {
      const name = `s${index}`
      const child = new Child<NodeMethods>('node')
      all.push(child)
      const file = await root.call('inviteFile', folder, name)
      await child.call('start', home, name, { ...common, 'bootstrap.inviteFile': file })
      await child.call('ready')
    }
    bench.progress('waiting until the secondaries are registries')
    await root.call('entered', secondaries)
    const admit = async (witnessesNeeded: number): Promise<number> => {
      await root.call('need', witnessesNeeded)
      return await root.call('admit', joins, inFlight)
    }
    const witnessed = async () => {
      await root.call('need', needed)
      return await root.call('witnessed', heads)
    }
    return {
      warmUp: true,
      measures: [
        { name: 'witnessed', run: witnessed },
        { name: 'with', run: () => admit(needed) },
        { name: 'without', run: () => admit(0) }
      ],
      rows: [
        {
          what: 'witnessed by two, p99',
          unit: 'ms',
          of: measured('witnessed.p99').of,
          beside: [measured('witnessed.p50', 'p50'), measured('witnessed.max', 'max')],
          aim: { text: '≤ 200 ms', met: (figure) => figure <= 200 }
        },
        {
          what: 'admissions where two witnesses are needed',
          unit: '/s',
          of: measured('with').of,
          floor: measured('without', 'where none is needed'),
          aim: { text: '≥ 0.9 x', met: (_, ratio) => ratio >= 0.9 }
        }
      ],
      [Symbol.asyncDispose]: () => endAll(all)
    }
  }
}
