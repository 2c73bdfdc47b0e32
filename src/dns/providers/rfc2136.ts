import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DecodedPacket } from 'dns-packet'
import { resolverParts } from '../../address/spelling.ts'
import { either } from '../../runtime/abort.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { decodeBounded } from '../bounded-decode.ts'
import { canonical } from '../published.ts'
import {
  type DnsProvider,
  edited,
  ProviderRefusedError,
  ProviderUnreachableError,
  plainName,
  type RecordEdit,
  type RecordKey,
  sameSet
} from './provider.ts'
import { signMessage, type TsigKey, TsigKeyError, verifyMessage } from './tsig.ts'
import { classes, encodeName, encodeRecord, encodeValue, types, u16 } from './wire.ts'

export interface Rfc2136Init {
  /** `2001:db8::53` or `[::1]:5353`. */
  readonly server: string
  readonly key: TsigKey
  /** Default: the zone that the server names for the record. */
  readonly zone?: string | undefined
}

const exchangeMs = 10_000
const maxTries = 3
const againMs = 200
const maxAnswerBytes = 65_535
const opcodeUpdate = 0x2800

/** Dynamic updates, signed with TSIG. An edit is one message, so the server carries it out whole or not at all. */
export const rfc2136 = (init: Rfc2136Init): DnsProvider => {
  const ask = (question: Buffer, signal: AbortSignal | undefined): Promise<DecodedPacket> =>
    exchange(init, question, signal)

  const values = async ({ name, type }: RecordKey, signal: AbortSignal | undefined): Promise<string[]> => {
    const answer = await ask(query(name, types[type]), signal)
    if (rcodeOf(answer) !== 0 && rcodeOf(answer) !== nxDomain) throw refused(init, answer, name)
    const found = (answer.answers ?? []).filter((one) => one.type === type && plainName(one.name) === plainName(name))
    return found.map((one) => canonical(type, textOf('data' in one ? one.data : undefined))).toSorted()
  }

  return {
    name: 'rfc2136',
    async prepare(name, { signal } = {}) {
      const zone = await zoneFor(init, name, signal)
      // Nothing to add and nothing to remove: the server only says whether this key may.
      const answer = await ask(update(zone, []), signal)
      if (rcodeOf(answer) !== 0) throw refused(init, answer, zone)
      return `zone ${zone} at ${init.server}`
    },
    async change(edit, { signal, progress } = {}) {
      const zone = await zoneFor(init, edit.name, signal)
      const before = await values(edit, signal)
      const wanted = edited(before, { ...edit, ...canonicalLists(edit) })
      if (sameSet(before, wanted)) return { kind: 'written', changed: false, values: before }
      progress?.(`sending the update of ${edit.name} to ${init.server}`)
      const answer = await ask(update(zone, updatesOf(edit)), signal)
      if (rcodeOf(answer) !== 0) throw refused(init, answer, zone)
      const after = await values(edit, signal)
      if (sameSet(after, edited(after, { ...edit, ...canonicalLists(edit) }))) {
        return { kind: 'written', changed: true, values: after }
      }
      throw new ProviderRefusedError(
        `${init.server} took the update but ${edit.name} has not changed: a CNAME of that name is in the way, or two edits crossed.`
      )
    }
  }
}

const zoneFor = async (init: Rfc2136Init, name: string, signal: AbortSignal | undefined): Promise<string> => {
  if (init.zone !== undefined) return plainName(init.zone)
  const { answers = [], authorities = [] } = await exchange(init, query(name, types.SOA), signal)
  const soa = [...answers, ...authorities].find((record) => record.type === 'SOA')
  if (soa !== undefined) return plainName(soa.name)
  throw new ProviderRefusedError(`${init.server} serves no zone that holds ${name}. Name the zone's primary server.`)
}

const canonicalLists = ({ type, add, remove }: RecordEdit): Pick<RecordEdit, 'add' | 'remove'> => ({
  add: add.map((value) => canonical(type, value)),
  remove: remove.map((value) => canonical(type, value))
})

/** AAAA comes as text, TXT as pieces. */
const textOf = (data: unknown): string => {
  if (Array.isArray(data)) return Buffer.concat(data.map((part) => Buffer.from(part))).toString()
  return typeof data === 'string' ? data : ''
}

const updatesOf = (edit: RecordEdit): Buffer[] => {
  const common = { name: edit.name, type: types[edit.type] }
  const remove = edit.remove.filter((value) => !edit.add.includes(value))
  return [
    ...remove.map((value) =>
      encodeRecord({ ...common, class: classes.NONE, ttlSeconds: 0, value: encodeValue(edit.type, value) })
    ),
    ...edit.add.map((value) =>
      encodeRecord({ ...common, class: classes.IN, ttlSeconds: edit.ttlSeconds, value: encodeValue(edit.type, value) })
    )
  ]
}

const header = (flags: number, counts: readonly number[]): Buffer =>
  Buffer.concat([u16(randomInt(0x1_0000)), u16(flags), ...counts.map(u16)])

const query = (name: string, type: number): Buffer =>
  Buffer.concat([header(0, [1, 0, 0, 0]), encodeName(name), u16(type), u16(classes.IN)])

const update = (zone: string, records: readonly Buffer[]): Buffer =>
  Buffer.concat([
    header(opcodeUpdate, [1, 0, records.length, 0]),
    encodeName(zone),
    u16(types.SOA),
    u16(classes.IN),
    ...records
  ])

const nxDomain = 3
const rcodeOf = (packet: DecodedPacket): number => (packet.flags ?? 0) & 0xf

const rcodes: Readonly<Record<number, string>> = {
  1: 'FORMERR: it does not understand the message',
  2: 'SERVFAIL: it failed itself, perhaps it cannot write its zone file',
  4: 'NOTIMP: it takes no dynamic updates',
  5: 'REFUSED: the key may not do this there (BIND: allow-update or update-policy)',
  9: 'NOTAUTH: it is not the primary server of the zone, or does not know the key',
  10: 'NOTZONE: the name is not in that zone'
}

const refused = ({ server, key }: Rfc2136Init, answer: DecodedPacket, zone: string): ProviderRefusedError => {
  const rcode = rcodeOf(answer)
  const what = rcodes[rcode] ?? `response code ${rcode}`
  return new ProviderRefusedError(`${server} refused (key ${key.name}, ${zone}): ${what}.`)
}

/**
 * One signed question and its verified answer, over TCP. A server that hangs up before it has answered (it is busy, or begins anew) is asked again: a set
 * of records is the same after the second time.
 */
const exchange = async (
  init: Rfc2136Init,
  question: Buffer,
  signal: AbortSignal | undefined
): Promise<DecodedPacket> => {
  const deadline = AbortSignal.timeout(exchangeMs)
  const over = either(deadline, signal)
  const { bytes, mac } = await answerOf(init, question, over).catch((error: unknown) => {
    signal?.throwIfAborted()
    const why = deadline.aborted ? `no answer within ${exchangeMs / 1000} s` : reasonOf(error)
    throw new ProviderUnreachableError(`The name server ${init.server} does not answer: ${why}.`)
  })
  try {
    if (!bytes.subarray(0, 2).equals(question.subarray(0, 2)))
      throw new TsigKeyError('the answer is to another question')
    verifyMessage(bytes, init.key, mac, Date.now())
    return decodeBounded(bytes)
  } catch (error) {
    const why = error instanceof TsigKeyError ? error.message : 'the answer is no valid DNS message'
    throw new ProviderRefusedError(`${init.server}, TSIG key ${init.key.name}: ${why}.`)
  }
}

const answerOf = async (
  init: Rfc2136Init,
  question: Buffer,
  signal: AbortSignal
): Promise<{ bytes: Buffer; mac: Buffer }> => {
  for (let tries = 1; ; tries++) {
    const { message, mac } = signMessage(question, init.key, Date.now())
    try {
      return { bytes: await send(init.server, message, signal), mac }
    } catch (error) {
      if (tries === maxTries || !hungUp(error)) throw error
      await sleep(againMs, undefined, { signal })
    }
  }
}

const hungUp = (error: unknown): boolean =>
  error instanceof ClosedError || ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '')

class ClosedError extends Error {
  override readonly name = 'ClosedError'
}

const send = async (server: string, message: Buffer, signal: AbortSignal): Promise<Buffer> => {
  const { host, port } = hostPort(server)
  const socket = connect({ host, port, signal })
  try {
    await once(socket, 'connect', { signal })
    socket.write(Buffer.concat([u16(message.length), message]))
    let held = Buffer.alloc(0)
    for await (const chunk of socket) {
      held = Buffer.concat([held, chunk])
      const length = held.length < 2 ? maxAnswerBytes : held.readUInt16BE(0)
      if (held.length >= 2 + length) return held.subarray(2, 2 + length)
    }
    throw new ClosedError('it closed the connection without an answer')
  } finally {
    socket.destroy()
  }
}

/** @throws ProviderRefusedError */
const hostPort = (server: string): { host: string; port: number } => {
  try {
    return resolverParts(server)
  } catch (error) {
    throw new ProviderRefusedError(reasonOf(error))
  }
}
