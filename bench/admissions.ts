import type { Bench, Benchmark, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { FloorsMethods } from './processes/floors.ts'
import type { MembersMethods } from './processes/members.ts'
import type { RootMethods } from './processes/root.ts'

/** Bytes of an admit entry with its join request. */
const entryBytes = 600
/** Signatures that are verified: that of the join request, and the proof of the invite. */
const verifies = 2

export const admissions: Benchmark = {
  name: 'admissions',
  title: 'Admissions over one registry session',
  how: `A registry forwards joins to the root, each with an invite of its own. One round before the first is not counted. The answer comes after join request and proof of the
invite were verified, and the log entry and a signed checkpoint are on the disk. Invites and join requests are made before the clock
starts; handshakes do not count. Floor: the same number of signatures checked (thread pool) and made, and rows of the same size committed,
in batches of as many as are in flight.`,
  // Open invites are bounded by 10,000: enough for five rounds and one that is not counted.
  parameters: { joins: 1_500, inFlight: 64 },
  quick: { joins: 64, inFlight: 64 },

  async prepare(bench: Bench): Promise<Plan> {
    const { joins = 0, inFlight = 0 } = bench.parameters
    const folder = await networkFolder(bench, { members: 1, records: true })
    const root = new Child<RootMethods>('root')
    const members = new Child<MembersMethods>('members')
    const floors = new Child<FloorsMethods>('floors')
    await members.call('register', await root.call('start', folder, liftedLimits), 0, 1)
    await root.call('release')
    await floors.call('open', bench.folder)
    return {
      measures: [
        {
          name: 'admit',
          run: async () => {
            const { perSecond, p50, p99 } = await members.call(
              'forwardJoins',
              await root.call('invites', joins),
              inFlight
            )
            return { perSecond, p50, p99 }
          }
        },
        { name: 'floor', run: () => floors.call('admit', joins, entryBytes, verifies, inFlight) }
      ],
      warmUp: true,
      rows: [
        {
          what: `${inFlight} in flight`,
          unit: 'admissions/s',
          of: measured('admit.perSecond').of,
          floor: measured('floor', 'sign, verify and commit alone'),
          beside: [measured('admit.p50', 'p50 ms'), measured('admit.p99', 'p99 ms')],
          aim: { text: '≥ 1,000/s', met: (figure) => figure >= 1000 }
        }
      ],
      [Symbol.asyncDispose]: () => endAll([root, members, floors])
    }
  }
}
