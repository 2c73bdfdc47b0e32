import { readFileSync } from 'node:fs'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/identity/hash.ts'
import { defaults } from '../../../src/node/config/defaults.ts'
import { AdminAnswer, AdminQuestion, AdminRequest } from '../../../src/protocols/admin/pb/admin.ts'
import { gossipOptions } from '../../../src/protocols/announce/options.ts'
import { BlockAnswer, BlocksRequest } from '../../../src/protocols/blocks/pb/blocks.ts'
import { FrameParser } from '../../../src/protocols/engine/frame-parser.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { ForwardAnswer, ForwardRequest } from '../../../src/protocols/forward/pb/forward.ts'
import { Hello } from '../../../src/protocols/hello/pb/hello.ts'
import { LookupAnswer, LookupRequest } from '../../../src/protocols/lookup/pb/lookup.ts'
import { ProbeAnswer, ProbeRequest } from '../../../src/protocols/probe/pb/probe.ts'
import { SessionFrame } from '../../../src/protocols/register/pb/register.ts'
import { fromHintMessage } from '../../../src/protocols/sync/hint-message.ts'
import { SyncFrame, SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import { openEntry } from '../../../src/registry/objects/entry.ts'
import { openAct } from '../../../src/registry/objects/orders/act.ts'
import { openOrder } from '../../../src/registry/objects/orders/order.ts'
import { openRecord } from '../../../src/registry/objects/record.ts'
import { verdict } from '../../helpers/signed-objects.ts'

interface Said {
  from: 'client' | 'server'
  message: string
  value: Record<string, unknown>
  frame: Uint8Array
}

/** Bytes stand in the file as text: `hex:` and the digits. */
const revive = (_: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('hex:') ? fromString(value.slice(4), 'hex') : value

const file: {
  networkId: Uint8Array
  cases: { name: string; outcome: string; frames: Said[]; withinMs?: number; clientWaitsMs?: number }[]
  questions: { name: string; value: object; bytes: Uint8Array }[]
  gossip: { topic: string; messages: { name: string; data: Uint8Array; id: Uint8Array }[] }
  waits: Record<string, number>
  handshakes: Record<string, number>
} = JSON.parse(readFileSync(new URL('../../fixtures/vectors/exchanges.json', import.meta.url), 'utf8'), revive)

interface Codec {
  encode(value: object): Uint8Array
  decode(bytes: Uint8Array): object
}
const codecs: Readonly<Record<string, Codec>> = {
  AdminAnswer,
  AdminRequest,
  BlockAnswer,
  BlocksRequest,
  ForwardAnswer,
  ForwardRequest,
  Hello,
  LookupAnswer,
  LookupRequest,
  ProbeAnswer,
  ProbeRequest,
  SessionFrame,
  SyncFrame,
  SyncRequest
}

const codecOf = (message: string): Codec => {
  const codec = codecs[message]
  if (codec === undefined) throw new Error(`there is no message ${message}`)
  return codec
}

/** The one message of a frame with its length. */
const messageIn = (frame: Uint8Array): Uint8Array => {
  const found: Uint8Array[] = []
  new FrameParser(frame.length, (each) => found.push(Uint8Array.from(each))).push(frame)
  expect(found).toHaveLength(1)
  return found[0] ?? new Uint8Array()
}

const caseOf = (name: string): Said[] => {
  const found = file.cases.find((each) => each.name.startsWith(name))
  if (found === undefined) throw new Error(`there is no case ${name}`)
  return found.frames
}

describe('the exchanges of the vectors', () => {
  it.each(file.cases)('$name: each frame is what this program sends for its value, and says it', ({ frames }) => {
    for (const { message, value, frame } of frames) {
      const bytes = messageIn(frame)
      expect(codecOf(message).encode(value)).toEqual(bytes)
      expect(codecOf(message).decode(bytes)).toMatchObject(value)
    }
  })

  it('give each state of a hint its number, and let one of a newer version be none', () => {
    const [, , last] = caseOf('hints have a number')
    const { hints } = SyncFrame.decode(messageIn(last?.frame ?? new Uint8Array()))
    expect(hints.map((hint) => fromHintMessage(hint)?.state)).toEqual([
      'online',
      'late',
      'suspect',
      'offline',
      'left',
      'unknown',
      undefined
    ])
  })

  it('have records that open, and one that does not', () => {
    const verdicts = file.cases.flatMap(({ name, frames }) =>
      frames
        .filter(({ message }) => message === 'SyncFrame')
        .flatMap(({ frame }) => SyncFrame.decode(messageIn(frame)).records)
        .map((record) => [name, verdict(() => openRecord(record, file.networkId))])
    )
    expect(verdicts.map(([name, said]) => [name, said === 'opened'])).toEqual(
      verdicts.map(([name]) => [name, name !== 'a record that is wrong by itself'])
    )
    expect(verdicts.length).toBeGreaterThan(2)
  })

  it('show the rotate entry as the proof of a key that has rotated', () => {
    const [hello] = caseOf('hello after a rotation')
    const { admit } = Hello.decode(messageIn(hello?.frame ?? new Uint8Array()))
    expect(openEntry(admit, file.networkId).value.kind).toBe('rotate')
  })

  it('say each message of the streams', () => {
    const said = new Set(file.cases.flatMap(({ frames }) => frames.map(({ message }) => message)))
    expect([...said].toSorted()).toEqual(Object.keys(codecs).toSorted())
  })

  it('have orders of operators that are for just what comes with them', () => {
    const requests = file.cases
      .flatMap(({ frames }) => frames)
      .filter(({ message }) => message === 'AdminRequest')
      .map(({ frame }) => AdminRequest.decode(messageIn(frame)))
    for (const act of requests.flatMap(({ acts }) => acts)) {
      expect(verdict(() => openAct(act, file.networkId))).toBe('opened')
    }
    const asked = requests.filter(({ question }) => question.length > 0)
    for (const { question, order } of asked) {
      const { kind, digest } = openOrder(order, file.networkId).value
      expect([kind, equals(digest, sha256(question))]).toEqual([0, true])
    }
    expect(asked.map(({ question }) => question)).toEqual(file.questions.map(({ bytes }) => bytes))
  })

  it.each(file.questions)('have the question $name as this program writes it', ({ value, bytes }) => {
    expect(AdminQuestion.encode(value)).toEqual(bytes)
    expect(AdminQuestion.decode(bytes)).toMatchObject(value)
  })

  it('give a message of gossip the id that this program gives it', async () => {
    const { msgIdFn, allowedTopics } = gossipOptions(file.networkId)
    expect(allowedTopics).toEqual([file.gossip.topic])
    for (const { data, id } of file.gossip.messages) {
      const given = await msgIdFn?.({ type: 'unsigned', topic: file.gossip.topic, data })
      expect(Uint8Array.from(given ?? [])).toEqual(id)
    }
  })

  it('name the times and bounds of this program', () => {
    const { hello, strangers, register } = defaultLimits
    const { limits } = defaults
    expect(file.waits).toEqual({
      helloMs: hello.deadlineMs,
      strangerMs: strangers.ms,
      handshakeMs: limits.upgradeTimeoutMs
    })
    expect(file.handshakes).toEqual({
      unfinished: limits.unfinished,
      ofPrefix: limits.unfinishedPerPrefix,
      ofKnownPrefix: limits.unfinishedPerMemberPrefix,
      memberMs: limits.memberUpgradeTimeoutMs
    })
    const put = file.cases.find(({ withinMs }) => withinMs !== undefined)
    expect([put?.withinMs, put?.clientWaitsMs]).toEqual([register.applyMs, register.requestMs])
    expect(register.applyMs).toBeLessThan(register.requestMs)
  })
})
