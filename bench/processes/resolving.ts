import { lookupTnr } from '../../src/dns/tnr.ts'
import { LookupStream } from '../../src/protocols/lookup/index.ts'
import { openReplica, type Replica } from '../../src/registry/log/replica.ts'
import { type Database, openDatabase } from '../../src/registry/store/database.ts'
import { GroupCommit } from '../../src/registry/store/group-commit.ts'
import { silentLogger, systemClock } from '../../src/runtime/clock-and-logger.ts'
import { type LoadResult, runLoad } from '../harness/load.ts'
import { clientLimits, LightMember } from '../harness/members/light-member.ts'
import { memberKey, memberName } from '../harness/members/members.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** A machine that finds others: in DNS, at a registry, and by what a member shows of itself. */
let member: LightMember | undefined
let networkId: Uint8Array = new Uint8Array()
let db: Database | undefined
let commit: GroupCommit | undefined
let replica: Replica | undefined

/** Numbers of members, in no order. The root is 0. */
const someMembers = (count: number, members: number): number[] =>
  Array.from({ length: count }, () => 1 + Math.floor(Math.random() * (members - 1)))

const methods = {
  async open(root: RootAddress, number: number, store: string): Promise<void> {
    member = await LightMember.start(number, root)
    await member.register()
    networkId = root.networkId
    db = openDatabase(store)
    commit = new GroupCommit(db)
    replica = await openReplica({ db, commit, clock: systemClock, logger: silentLogger })
  },

  /** Asks the name server each time: nothing is kept. */
  async resolve(times: number, domain: string, port: number): Promise<LoadResult> {
    const { signal } = new AbortController()
    return await runLoad(times, 1, async () => {
      const answer = await lookupTnr(domain, { servers: [`[::1]:${port}`], timeoutMs: 10_000, signal })
      if (answer.kind !== 'found') throw new Error(answer.message)
    })
  },

  /** A stream of its own for each question, as a node opens it that asks now and then; the record is verified. */
  async discover(times: number, members: number): Promise<LoadResult> {
    const numbers = someMembers(times, members)
    return await runLoad(times, 1, async (job) => {
      if (member === undefined) throw new Error('not connected')
      await using stream = await LookupStream.open(member.connection, { networkId, limits: clientLimits })
      const page = await stream.ask({ name: memberName(numbers[job] ?? 1) })
      if (page.rows.length !== 1) throw new Error('the member was not found')
    })
  },

  /** Judges the entry that a member shows in its hello. */
  async verify(times: number, members: number): Promise<LoadResult> {
    const shown = someMembers(times, members).map((number) => {
      const { publicKey } = memberKey(number)
      return { publicKey, admit: replica?.state.member(publicKey)?.admit.bytes }
    })
    return await runLoad(times, 1, async (job) => {
      const { publicKey, admit } = shown[job] ?? {}
      if (replica === undefined || publicKey === undefined || admit === undefined) throw new Error('no such member')
      replica.verifyShown(admit, undefined, publicKey)
    })
  }
}

export type ResolvingMethods = typeof methods

serveMethods(methods, async () => {
  await member?.stop()
  commit?.close()
  db?.close()
})
