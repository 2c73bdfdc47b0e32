import { SyncCursors, sync } from '../../src/protocols/sync/index.ts'
import { readStoredRecord } from '../../src/registry/objects/record.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import { runLoad } from '../harness/load.ts'
import { clientLimits, LightMember } from '../harness/members/light-member.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** Members that subscribe to a registry's changes and note when each record came. The clock is the machine's, the same in all processes. */
const members: LightMember[] = []
const over = new AbortController()
let arrivals: number[] = []

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

const noDigest = new Uint8Array(4096 * 8)

/** Keeps nothing: what is measured is the push, and a hundred databases in one process would be measured with it. */
const targetOf = (networkId: Uint8Array) => ({
  networkId,
  replica: {
    position: () => ({ epoch: 0, n: 0, hash: networkId }),
    verify: async () => ({ entries: [], checkpoint: undefined }),
    follow: async () => ({ applied: 0 }),
    stage: async () => ({ epoch: 0, n: 0, upTo: 0, rows: 0, done: true }),
    staged: () => undefined,
    authorityRevocations: { enforce: () => Promise.resolve(false) },
    leaveStage: () => {},
    dropStaged: async () => {}
  },
  records: {
    put: async (bytes: Uint8Array) => {
      // Decoded as every reader must; whose it is does not matter here.
      readStoredRecord(bytes)
      arrivals.push(machineMs())
      return { accepted: false as const }
    },
    prepareDigest: async () => {},
    digest: () => noDigest
  },
  cosignatures: { take: async () => 0 },
  liveness: { hear: () => false }
})

const methods = {
  /** Members `from` to `to - 1`; resolves when each has all that the root had. */
  async subscribe(root: RootAddress, from: number, to: number): Promise<void> {
    const target = targetOf(root.networkId)
    await runLoad(to - from, 8, async (job) => {
      const member = await LightMember.start(from + job, root)
      members.push(member)
      await member.register()
      const caughtUp = Promise.withResolvers<void>()
      const options = {
        limits: clientLimits,
        logger: silentLogger,
        subscribe: true,
        records: true,
        cursors: new SyncCursors(),
        signal: over.signal,
        onCaughtUp: () => caughtUp.resolve()
      }
      sync(member.connection, target, options).catch((error: Error) => {
        caughtUp.reject(error)
        if (!over.signal.aborted) process.stderr.write(`a subscription ended: ${error.message}\n`)
      })
      await caughtUp.promise
    })
  },

  /** Times (machine clock, ms) of the records that came since the last call. */
  arrivals(): number[] {
    const all = arrivals
    arrivals = []
    return all
  }
}

export type SubscribersMethods = typeof methods

serveMethods(methods, async () => {
  over.abort(new Error('the benchmark is over'))
  await Promise.all(members.map((member) => member.stop()))
})
