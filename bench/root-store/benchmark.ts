import type { Aim, Bench, Benchmark, Figure, Plan, Row } from '../harness/benchmark.ts'
import { Child, endAll } from '../harness/child.ts'
import { startEtcdServer } from '../harness/etcd-server.ts'
import { type Flags, liftedLimits } from '../harness/network.ts'
import { networkFolder } from '../harness/network-folder.ts'
import { measured } from '../harness/rounds.ts'
import type { EtcdAppendsMethods } from '../processes/etcd-appends.ts'
import type { FloorsMethods } from '../processes/floors.ts'
import type { MembersMethods } from '../processes/members.ts'
import type { RootMethods } from '../processes/root.ts'

/** Bytes of an admit entry with its join request. */
const entryBytes = 600
/** Signatures that are verified: that of the join request, and the proof of the invite. */
const verifies = 2

const bare = measured('bare', 'entries/s in bare transactions')
/** What an admission cannot do without, one after the other for as many as are in flight. */
const work: Figure = {
  what: 'sign, verify and commit alone, then a bare transaction',
  of: (round) => 1 / (1 / measured('alone').of(round) + 1 / bare.of(round))
}
const half = (of: string): Aim => ({ text: `≥ 0.5 × ${of}`, met: (_, ratio) => ratio >= 0.5 })

type Parts = Readonly<Record<string, number>>

const rowsOf = (inFlight: number): Row[] => [
  {
    what: `appends of ${inFlight} entries, one after the other`,
    unit: 'entries/s',
    of: measured('append').of,
    floor: bare,
    aim: half('bare')
  },
  {
    what: `admissions, ${inFlight} in flight`,
    unit: 'admissions/s',
    of: measured('admit.perSecond').of,
    floor: work,
    beside: [measured('admit.p50', 'p50 ms'), measured('admit.p99', 'p99 ms'), bare],
    aim: half('that work')
  },
  {
    what: 'the same, beside a log in the own store alone',
    unit: 'admissions/s',
    of: measured('admit.perSecond').of,
    floor: measured('embedded.perSecond', 'admissions/s'),
    beside: [measured('embedded.p50', 'its p50 ms'), measured('embedded.p99', 'its p99 ms')]
  }
]

export const rootStore: Benchmark = {
  name: 'root-store',
  title: 'A root whose log is in etcd',
  how: `Admissions as above, of a root with \`root.store: etcd+https://…\`: each batch is signed, is appended to etcd in one transaction, and is committed to the own store. etcd of
Debian, one member, its data on the same disk, with its own durability, over TLS with a client certificate. One round before the first is not counted. Floor: bare transactions of the same
comparisons and puts, one after the other, each with as many entries as are in flight. An admission also verifies two signatures, makes one, and is committed to the own store: its
floor has these, too, as that of the admissions above. "Appends": the engine alone, without a root. Beside them the same admissions of a root whose log is in its own store alone.`,
  parameters: { joins: 1_000, inFlight: 64 },
  quick: { joins: 64, inFlight: 64 },

  async prepare(bench: Bench): Promise<Plan> {
    const { joins = 0, inFlight = 0 } = bench.parameters
    const server = await startEtcdServer(bench.folder)
    const appends = new Child<EtcdAppendsMethods>('etcd-appends')
    const floors = new Child<FloorsMethods>('floors')
    const all: AsyncDisposable[] = [appends, floors]
    const end = async (): Promise<void> => {
      await endAll(all)
      server.child.kill('SIGKILL')
    }
    const started = async (store: Flags): Promise<() => Promise<Parts>> => {
      const root = new Child<RootMethods>('root')
      const members = new Child<MembersMethods>('members')
      all.push(root, members)
      const folder = await networkFolder(bench, { members: 1, records: true })
      await root.call('start', folder, { ...liftedLimits, ...store })
      await members.call('register', await root.call('inPlace'), 0, 1)
      await root.call('release')
      return async () => ({ ...(await members.call('forwardJoins', await root.call('invites', joins), inFlight)) })
    }
    try {
      const admit = await started({ 'root.store': server.url })
      const embedded = await started({})
      await appends.call('connect', bench.folder, server.port, server.url)
      await floors.call('open', bench.folder)
      return {
        measures: [
          { name: 'admit', run: admit },
          { name: 'embedded', run: embedded },
          { name: 'append', run: () => appends.call('appendLog', joins, entryBytes, inFlight) },
          { name: 'bare', run: () => appends.call('append', joins, entryBytes, inFlight) },
          { name: 'alone', run: () => floors.call('admit', joins, entryBytes, verifies, inFlight) }
        ],
        warmUp: true,
        rows: rowsOf(inFlight),
        [Symbol.asyncDispose]: end
      }
    } catch (error) {
      await end()
      throw error
    }
  }
}
