import { joinFrames } from '../../../src/protocols/engine/frame-parser.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { SessionFrame } from '../../../src/protocols/register/pb/register.ts'
import type { Attack, Stage } from '../attack.ts'
import { again, endOf, HostileMember, idOf, push, rest } from '../member.ts'

const largest: [string, number][] = [
  ['hello', defaultLimits.hello.frameBytes],
  ['register', defaultLimits.register.frameBytes],
  ['sync', defaultLimits.sync.requestBytes],
  ['lookup', defaultLimits.lookup.requestBytes],
  ['probe', defaultLimits.probe.requestBytes]
]
const numbers = [21, 22, 23, 24, 25]
const varint = (length: number): number[] => [(length & 0x7f) | 0x80, ((length >>> 7) & 0x7f) | 0x80, length >>> 14]

const membersOf = (stage: Stage) => Promise.all(numbers.map((number) => HostileMember.start(number, stage)))

/** A frame one byte longer than allowed, and 256 KiB behind it. */
export const oversizedFrames: Attack = async (stage) => {
  const { tally, signal } = stage
  const members = await membersOf(stage)
  const body = new Uint8Array(256 * 1024)
  await again(stage, members.length, async (lane) => {
    const [name, most] = largest[lane % largest.length] ?? ['', 0]
    const stream = await members[lane]?.open(idOf(name))
    if (stream === undefined) return
    tally.send('frames')
    const ended = endOf(stream)
    await push(stream, Uint8Array.from([...varint(most + 1), ...body]), signal)
    tally.meet(await Promise.race([ended, rest(5_000, signal).then(() => 'held for 5 s' as const)]))
    stream.abort(new Error('next'))
  })
}

const many = (frame: Uint8Array): Uint8Array => joinFrames(Array.from({ length: 1_000 }, () => frame))

/** Pings, unknown requests and questions of a few bytes, a thousand to a write. */
export const tinyFrames: Attack = async (stage) => {
  const { tally, signal } = stage
  const members = await membersOf(stage)
  const floods: [string, Uint8Array][] = [
    ['register', many(SessionFrame.encode({ id: 0, ping: 0 }))],
    ['register', many(SessionFrame.encode({ id: 1 }))],
    ['lookup', many(Uint8Array.of(8, 1))]
  ]
  await again(stage, members.length, async (lane) => {
    const [name, frames] = floods[lane % floods.length] ?? ['', new Uint8Array()]
    const stream = await members[lane]?.open(idOf(name))
    if (stream === undefined) return
    const ended = endOf(stream)
    while (stream.writeStatus === 'writable' && !signal.aborted) {
      tally.send('frames', 1_000)
      await push(stream, frames, signal)
      await new Promise(setImmediate)
    }
    tally.meet(await Promise.race([ended, rest(0, signal).then(() => 'closed' as const)]))
    stream.abort(new Error('next'))
  })
}

type Ending = 'held' | 'ended' | 'reset'
const endings: readonly Ending[] = ['held', 'held', 'ended', 'reset']

/** Frames that are begun, and held for as long as they may, or left by an end or a reset of their stream; on as many streams as there may be. */
export const truncatedFrames: Attack = async (stage) => {
  const { tally, signal } = stage
  const members = await membersOf(stage)
  let next = 0
  await again(stage, members.length * 8, async (lane) => {
    const ending = endings[lane % endings.length]
    const [name] = largest[next++ % largest.length] ?? ['']
    const stream = await members[lane % members.length]?.open(idOf(name))
    if (stream === undefined) return
    tally.send('frames')
    const ended = endOf(stream)
    stream.send(Uint8Array.of(100, 1, 2, 3))
    if (ending === 'ended') void stream.close()
    if (ending === 'reset') await rest(50, signal)
    else tally.meet(await Promise.race([ended, rest(10_000, signal).then(() => 'held for 10 s' as const)]))
    stream.abort(new Error('next'))
  })
}
