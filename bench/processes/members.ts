import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { SigningKey } from '../../src/identity/keys.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { type LoadResult, runLoad } from '../harness/load.ts'
import type { EncodedInvite } from '../harness/members/invites.ts'
import { LightMember } from '../harness/members/light-member.ts'
import { memberKey, memberName, memberRecord, nextSeq, secondary } from '../harness/members/members.ts'
import { serveMethods } from '../harness/serve.ts'
import { quantile } from '../harness/spread.ts'
import type { RootAddress } from './root.ts'

/** Members of a network, each a host of its own, that ask the root for things. */
let root: RootAddress | undefined
let joined = 0
let signed: Uint8Array[] = []
let pacing = new AbortController()
const members = new Map<number, LightMember>()

const member = (number: number): LightMember => {
  const found = members.get(number)
  if (found === undefined) throw new Error(`no member ${number}`)
  return found
}

const networkId = (): Uint8Array => {
  if (root === undefined) throw new Error('the root is not known')
  return root.networkId
}

/** The newest first, to be popped off the end. */
function ownRecords(number: number, count: number): Uint8Array[] {
  const key = memberKey(number)
  return Array.from({ length: count }, () => memberRecord(networkId(), key, nextSeq())).toReversed()
}

/** Some at a time: a process that signs for seconds without a pause answers no ping, and its connection is taken for dead. */
async function signAll(count: number, sign: (job: number) => Uint8Array): Promise<Uint8Array[]> {
  const records: Uint8Array[] = []
  for (let job = 0; job < count; job++) {
    records.push(sign(job))
    if (job % 100 === 99) await nextTurn()
  }
  return records
}

/** Puts records over the session of the secondary, so many at a time, until there is none or `stopPaced`. Gives the rate of the answers. */
async function keepInFlight(inFlight: number, next: (lane: number) => Uint8Array | undefined): Promise<number> {
  const { session } = member(secondary)
  pacing = new AbortController()
  const from = performance.now()
  let answered = 0
  const lane = async (number: number): Promise<void> => {
    while (!pacing.signal.aborted) {
      const record = next(number)
      if (record === undefined) return
      await session.put(record)
      answered++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, number) => lane(number)))
  return answered / ((performance.now() - from) / 1000)
}

const methods = {
  /** Registers members `from` to `to - 1`, some at a time. */
  async register(address: RootAddress, from: number, to: number): Promise<void> {
    root = address
    await runLoad(to - from, 8, async (job) => {
      const started = await LightMember.start(from + job, address)
      members.set(from + job, started)
      await started.register()
    })
  },

  /** Updates of `keys` different members in turn over the one session of the secondary. Signed before the clock starts. */
  async putForOthers(updates: number, keys: number, inFlight: number): Promise<LoadResult> {
    const signers = Array.from({ length: keys }, (_, index) => memberKey(secondary + 1 + index))
    const records = await signAll(updates, (job) => {
      const key = signers[job % keys]
      if (key === undefined) throw new Error('no keys')
      return memberRecord(networkId(), key, nextSeq())
    })
    const { session } = member(secondary)
    return await runLoad(updates, inFlight, async (job) => await session.put(records[job] ?? new Uint8Array()))
  },

  /** Each member updates its own record over its own session, one after the other. */
  async putOwn(updates: number, from: number, to: number): Promise<LoadResult> {
    const lanes = to - from
    const records = Array.from({ length: lanes }, (_, lane) => ownRecords(from + lane, Math.ceil(updates / lanes)))
    const jobs = lanes * Math.ceil(updates / lanes)
    return await runLoad(jobs, lanes, async (_job, lane) => {
      // A fast lane may get a job more than its share.
      const record = records[lane]?.pop() ?? memberRecord(networkId(), memberKey(from + lane), nextSeq())
      await member(from + lane).session.put(record)
    })
  },

  beatEvery(ms: number): void {
    for (const each of members.values()) each.beatEvery(ms)
  },

  /** Heartbeats answered so far. */
  beats(): number {
    let all = 0
    for (const { beats } of members.values()) all += beats
    return all
  },

  /** A member shows another service. Gives when it began to send that (machine clock, ms). */
  async change(number: number): Promise<number> {
    const one = member(number)
    const record = one.nextRecord([`service-${nextSeq()}`])
    const from = Number(process.hrtime.bigint()) / 1e6
    await one.session.put(record)
    return from
  },

  /** Makes records for `putPaced`, of `keys` members in turn. */
  async sign(count: number, keys: number): Promise<void> {
    const sign = (job: number): Uint8Array =>
      memberRecord(networkId(), memberKey(secondary + 1 + (job % keys)), nextSeq())
    signed = (await signAll(Math.ceil(count), sign)).toReversed()
  },

  /** Sends what was signed at this rate, until it is all sent or `stopPaced`. Gives the rate of the answers. */
  async putPaced(perSecond: number): Promise<number> {
    const { session } = member(secondary)
    const answers: Promise<void>[] = []
    const from = performance.now()
    pacing = new AbortController()
    while (!pacing.signal.aborted && signed.length > 0) {
      const due = Math.floor(((performance.now() - from) / 1000) * perSecond)
      for (; answers.length < due && signed.length > 0; ) answers.push(session.put(signed.pop() ?? new Uint8Array()))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await Promise.all(answers)
    return answers.length / ((performance.now() - from) / 1000)
  },

  /** Keeps so many of what was signed on their way until it is all sent, or until `stopPaced`. Gives the rate of the answers. */
  flood: async (inFlight: number): Promise<number> => await keepInFlight(inFlight, () => signed.pop()),

  /** Keeps so many on their way until `stopPaced`, and answers no ping meanwhile. Gives the rate of the answers. */
  async floodDeaf(inFlight: number): Promise<number> {
    await member(secondary).answerPings(false)
    try {
      return await keepInFlight(inFlight, (lane) =>
        memberRecord(networkId(), memberKey(secondary + 1 + lane), nextSeq())
      )
    } finally {
      await member(secondary).answerPings(true)
    }
  },

  /** A member puts a record of its own, waits for the answer, pauses, and so on. Gives how long the answers took, in ms. */
  async putEvery(number: number, count: number, pauseMs: number): Promise<{ p50: number; p99: number }> {
    const { session } = member(number)
    const times: number[] = []
    for (const record of ownRecords(number, count).toReversed()) {
      const from = performance.now()
      await session.put(record)
      times.push(performance.now() - from)
      await pause(pauseMs)
    }
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
  },

  stopPaced(): void {
    pacing.abort()
  },

  /** Joins of new keys that the secondary forwards, each with an invite of its own. */
  async forwardJoins(invites: readonly EncodedInvite[], inFlight: number): Promise<LoadResult> {
    const bundles = invites.map(({ id, seed }) => {
      const number = 10_000_000 + joined++
      const name = memberName(number)
      const inviteKey = SigningKey.fromSeed(seed)
      const key = memberKey(number)
      const wish = { networkId: networkId(), key, name, role: 'integrated' as const, timeMs: Date.now() }
      return { join: makeJoin({ ...wish, grant: { id }, inviteKey }) }
    })
    const { session } = member(secondary)
    return await runLoad(bundles.length, inFlight, async (job) => {
      const bundle = bundles[job]
      if (bundle !== undefined) await session.forwardJoin(bundle)
    })
  }
}

export type MembersMethods = typeof methods

serveMethods(methods, async () => {
  await Promise.all([...members.values()].map((each) => each.stop()))
})
