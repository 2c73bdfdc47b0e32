import { dataFiles } from '../src/node/config/paths.ts'
import type { Bench, Benchmark, Plan } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { benchConfig, liftedLimits, rootName } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import { mebibyte } from './harness/rows.ts'
import type { FollowerMethods } from './processes/follower.ts'
import type { RewriteMethods } from './processes/rewrite.ts'
import type { RootMethods } from './processes/root.ts'

export const sync: Benchmark = {
  name: 'sync',
  title: 'Sync into an empty replica, and a delta',
  how: `A secondary with an empty store follows a root: every log entry (admissions by invite, four signatures each) and every record is
verified, the state root is compared, and all of it is on the disk at the end. Then a delta of new members and their records. Floor: the
same rows read from one store, as many signatures verified in the thread pool, hashed, and written to another store, 500 a transaction.
Memory is the most that each process had.`,
  parameters: { members: 100_000, delta: 1_000 },
  quick: { members: 130, delta: 20 },

  async prepare(bench: Bench): Promise<Plan> {
    const { members = 0, delta = 0 } = bench.parameters
    const folder = await networkFolder(bench, { members, records: true })
    const copy = await networkFolder(bench, { members, records: true })
    const root = new Child<RootMethods>('root')
    const follower = new Child<FollowerMethods>('follower')
    const rewrite = new Child<RewriteMethods>('rewrite')
    bench.progress('starting the root')
    const address = await root.call('start', folder, { ...liftedLimits, 'limits.peersWanted': 0 })
    await follower.call('connect', address)
    await root.call('release')
    await rewrite.call('open', dataFiles(benchConfig(copy, rootName, { role: 'root' }).paths.data).store)
    const genesis = await root.call('genesis')
    const all = {
      name: 'sync',
      run: async () => {
        await follower.call('empty', bench.folder, genesis)
        await Promise.all([root.peakRss(), follower.peakRss()])
        const { seconds, entries, records } = await follower.call('follow')
        if (records < members || entries < members)
          throw new Error(`only ${entries} entries and ${records} records came`)
        return { seconds, server: (await root.peakRss()) / mebibyte, client: (await follower.peakRss()) / mebibyte }
      }
    }
    const more = {
      name: 'delta',
      run: async () => {
        await follower.call('follow')
        await root.call('grow', delta)
        const { seconds, entries, records } = await follower.call('follow')
        if (entries < delta || records < delta) throw new Error(`only ${entries} entries and ${records} records came`)
        return seconds
      }
    }
    return {
      // One measure: the delta needs a replica that is up to date.
      measures: [
        { name: 'replica', run: async () => ({ ...(await all.run()), delta: await more.run() }) },
        { name: 'floor', run: () => rewrite.call('run', bench.folder) }
      ],
      rows: [
        {
          what: `${members.toLocaleString('en-US')} entries and as many records`,
          unit: 'rows/s',
          of: (round) => (2 * members) / measured('replica.seconds').of(round),
          floor: { what: 'rows/s without network', of: (round) => (2 * members) / measured('floor').of(round) },
          beside: [
            measured('replica.seconds', 's'),
            measured('replica.server', 'MiB at most, root'),
            measured('replica.client', 'MiB at most, replica')
          ],
          aim: { text: '≥ 50 % of the floor', met: (_, ratio) => ratio >= 0.5 }
        },
        {
          what: `delta of ${delta.toLocaleString('en-US')} entries and as many records`,
          unit: 's',
          of: measured('replica.delta').of,
          floor: {
            what: 's for as many rows of the floor',
            of: (round) => (measured('floor').of(round) * delta) / members
          }
        }
      ],
      [Symbol.asyncDispose]: () => endAll([root, follower, rewrite])
    }
  }
}
