import { randomBytes } from 'node:crypto'
import { joinFrames } from '../../../src/protocols/engine/frame-parser.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { statusText } from '../../../src/protocols/engine/status.ts'
import { SessionFrame } from '../../../src/protocols/register/pb/register.ts'
import { memberKey, memberRecord } from '../../harness/members/members.ts'
import type { Attack } from '../attack.ts'
import { again, HostileMember, idOf } from '../member.ts'

const numbers = [71, 72, 73]
/** The member that is to be poisoned: the one that the honest side looks up. */
export const poisoned = 1
const farFuture = { issuedMs: Date.UTC(2099, 0) }
const limits = limitsWith()

/** Records of the far future, of one's own and of others, in every way that a session has. */
export const poisonRecords: Attack = async (stage) => {
  const { tally, signal } = stage
  const members = await Promise.all(numbers.map((number) => HostileMember.start(number, stage)))
  const victim = memberKey(poisoned)
  await again(stage, members.length, async (lane) => {
    const member = members[lane]
    if (member === undefined) return
    const { networkId, key } = member
    const own = memberRecord(networkId, key, Number.MAX_SAFE_INTEGER, farFuture)
    // It says that it is the victim's, and is signed by somebody else.
    const foreign = Uint8Array.from(memberRecord(networkId, key, Number.MAX_SAFE_INTEGER, farFuture))
    foreign.set(victim.publicKey, 6)
    const bent = memberRecord(networkId, victim, 2).fill(0, -1)
    const frames = new FrameStream(await member.open(idOf('register')), {
      maxFrame: limits.register.answerBytes,
      limits: limits.stream
    })
    let id = 1
    const register = { record: own, join: new Uint8Array(), instance: randomBytes(16) }
    const puts = [own, foreign, bent].map((record) => SessionFrame.encode({ id: ++id, put: { record } }))
    tally.send('records', 4)
    frames.stream.send(joinFrames([SessionFrame.encode({ id: 1, register }), ...puts]))
    for (let answers = 0; answers < 4; ) {
      const bytes = await frames.read({ signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) })
      if (bytes === undefined) break
      const { registered, answer } = SessionFrame.decode(bytes)
      const status = registered?.status ?? answer?.status
      if (status === undefined) continue
      answers++
      tally.meet(statusText(status))
    }
    frames.abort(new Error('next'))
  })
}
