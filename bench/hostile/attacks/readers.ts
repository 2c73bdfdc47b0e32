import { joinFrames } from '../../../src/protocols/engine/frame-parser.ts'
import { LookupRequest } from '../../../src/protocols/lookup/pb/lookup.ts'
import { SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import type { Attack } from '../attack.ts'
import { again, endOf, HostileMember, idOf, rest } from '../member.ts'

const numbers = Array.from({ length: 16 }, (_, index) => 51 + index)
const questions = 200

/** Members that ask for all of the log and the records, or for page after page, and read nothing of it. */
export const slowReaders: Attack = async (stage) => {
  const { tally, signal } = stage
  const members = await Promise.all(numbers.map((number) => HostileMember.start(number, stage)))
  await again(stage, members.length * 3, async (lane) => {
    const member = members[lane % members.length]
    if (member === undefined) return
    const { networkId } = member
    const isSync = lane % 3 !== 2
    const stream = await member.open(idOf(isSync ? 'sync' : 'lookup'))
    const ended = endOf(stream)
    stream.pause()
    const request = isSync
      ? SyncRequest.encode({ version: 1, networkId, hash: networkId, subscribe: true, records: true })
      : LookupRequest.encode({ version: 1, networkId, limit: 500 })
    tally.send(isSync ? 'syncs' : 'pages', isSync ? 1 : questions)
    stream.send(joinFrames(Array.from({ length: isSync ? 1 : questions }, () => request)))
    tally.meet(await Promise.race([ended, rest(10_000, signal).then(() => 'held for 10 s' as const)]))
    stream.abort(new Error('next'))
  })
}
