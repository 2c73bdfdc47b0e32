import type { Bench, Benchmark, Plan } from '../harness/benchmark.ts'
import { Child, endAll } from '../harness/child.ts'
import { startEtcdServer } from '../harness/etcd-server.ts'
import { liftedLimits } from '../harness/network.ts'
import { networkFolder } from '../harness/network-folder.ts'
import { measured } from '../harness/rounds.ts'
import type { EtcdAppendsMethods } from '../processes/etcd-appends.ts'
import type { MembersMethods } from '../processes/members.ts'
import type { RootMethods } from '../processes/root.ts'

/** Bytes of an admit entry with its join request. */
const entryBytes = 600

const floor = measured('bare', 'entries/s in bare transactions')
const aim = { text: '≥ 0.5 × bare', met: (_: number, ratio: number) => ratio >= 0.5 }

export const rootStore: Benchmark = {
  name: 'root-store',
  title: 'A root whose log is in etcd',
  how: `Admissions as above, of a root with \`root.store: etcd+https://…\`: each batch is signed, is appended to etcd in one transaction, and is committed to the own store. etcd of
Debian, one member, its data on the same disk, with its own durability, over TLS with a client certificate. One round before the first is not counted. Floor: bare transactions of the same
comparisons and puts, one after the other, each with as many entries as are in flight: no signature, no check, no store of its own. "Appends": the engine alone, without a root.`,
  parameters: { joins: 1_000, inFlight: 64 },
  quick: { joins: 64, inFlight: 64 },

  async prepare(bench: Bench): Promise<Plan> {
    const { joins = 0, inFlight = 0 } = bench.parameters
    const server = await startEtcdServer(bench.folder)
    const root = new Child<RootMethods>('root')
    const members = new Child<MembersMethods>('members')
    const bare = new Child<EtcdAppendsMethods>('etcd-appends')
    const end = async (): Promise<void> => {
      await endAll([root, members, bare])
      server.child.kill('SIGKILL')
    }
    try {
      const folder = await networkFolder(bench, { members: 1, records: true })
      await root.call('start', folder, { ...liftedLimits, 'root.store': server.url })
      await members.call('register', await root.call('inPlace'), 0, 1)
      await root.call('release')
      await bare.call('connect', bench.folder, server.port, server.url)
    } catch (error) {
      await end()
      throw error
    }
    return {
      measures: [
        {
          name: 'admit',
          run: async () => ({
            ...(await members.call('forwardJoins', await root.call('invites', joins), inFlight))
          })
        },
        { name: 'append', run: () => bare.call('appendLog', joins, entryBytes, inFlight) },
        { name: 'bare', run: () => bare.call('append', joins, entryBytes, inFlight) }
      ],
      warmUp: true,
      rows: [
        {
          what: `appends of ${inFlight} entries, one after the other`,
          unit: 'entries/s',
          of: measured('append').of,
          floor,
          aim
        },
        {
          what: `admissions, ${inFlight} in flight`,
          unit: 'admissions/s',
          of: measured('admit.perSecond').of,
          floor,
          beside: [measured('admit.p50', 'p50 ms'), measured('admit.p99', 'p99 ms')],
          aim
        }
      ],
      [Symbol.asyncDispose]: end
    }
  }
}
