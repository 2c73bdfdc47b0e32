import type { Connection } from '@libp2p/interface'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import { ask } from '../../../../src/protocols/admin/client.ts'
import { adminProtocol } from '../../../../src/protocols/admin/descriptor.ts'
import {
  type AdminAnswered,
  type AdminCall,
  decodeCall,
  decodeQuestion,
  encodeCall,
  encodeQuestion
} from '../../../../src/protocols/admin/messages.ts'
import { AdminAnswer, AdminQuestion, AdminRequest } from '../../../../src/protocols/admin/pb/admin.ts'
import { type AdminServerInit, adminServer } from '../../../../src/protocols/admin/server.ts'
import { MalformedFrameError } from '../../../../src/protocols/engine/errors.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { request } from '../../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../../src/protocols/engine/status.ts'
import type { SignedPublish } from '../../../../src/registry/documents/signed-publish.ts'
import { encodeBody } from '../../../../src/registry/objects/entry.ts'
import {
  ChangedMeanwhileError,
  InvalidPayloadError,
  NotOperatorError,
  PendingError,
  PublishRefusedError,
  SecondOperatorError
} from '../../../../src/runtime/errors.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { keyOf, networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'

withoutSockets()

const none = new Uint8Array()
const limits = limitsWith({ admin: { answerBytes: 8_192 } })
const options = { networkId, limits }
const act = { kind: 9, body: Uint8Array.of(1, 2), order: Uint8Array.of(3) }

describe('what an operator sends', () => {
  const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 20 })
  const anyAct = fc.record({ kind: fc.integer({ min: 1, max: 2 ** 31 }), body: anyBytes, order: anyBytes })

  it('comes out as it went in', () => {
    const anyCall: fc.Arbitrary<AdminCall> = fc.oneof(
      fc.record({ acts: fc.array(anyAct, { minLength: 1, maxLength: 16 }) }),
      fc.record({ question: anyBytes, order: anyBytes })
    )
    fc.assert(
      fc.property(anyCall, fc.boolean(), (call, forwarded) => {
        const decoded = decodeCall(encodeCall(call, networkId, forwarded), networkId)
        expect(decoded).toMatchObject({ call, forwarded })
      })
    )
    for (const question of [
      { what: 'waiting' },
      { what: 'reject', join: Uint8Array.of(7), reason: 'who is it?' },
      { what: 'withdraw', id: '3fa2b1c09d8e' }
    ] as const) {
      expect(decodeQuestion(encodeQuestion(question))).toEqual(question)
    }
  })

  it.each<[string, Partial<AdminRequest>, string]>([
    ['neither acts nor a question', {}, 'MalformedFrameError'],
    ['a question without an order', { question: Uint8Array.of(1) }, 'MalformedFrameError'],
    ['acts and a question', { acts: [act], question: Uint8Array.of(1) }, 'MalformedFrameError'],
    ['more acts than fit', { acts: Array.from({ length: 17 }, () => act) }, 'MalformedFrameError'],
    ['a newer version', { version: 2, acts: [act] }, 'UnsupportedVersionError'],
    ['another network', { networkId: otherNetworkId, acts: [act] }, 'WrongNetworkError']
  ])('is refused with %s', (_, changes, name) => {
    const message = { version: 1, networkId, acts: [], question: none, order: none, trace: none, forwarded: false }
    const bytes = AdminRequest.encode({ ...message, ...changes })
    expect(() => decodeCall(bytes, networkId)).toThrow(expect.objectContaining({ name }))
  })

  it('is no question of a newer version, and no other bytes', () => {
    const newer = AdminQuestion.encode({ what: 4, join: none, reason: '' })
    expect(() => decodeQuestion(newer)).toThrow('a question of a newer version')
    expect(() => decodeQuestion(Uint8Array.of(255))).toThrow('no message of this protocol')
  })
})

type Services = { admin: unknown }

/** A document with an order that nobody looks at here. */
const documentOf = (bytes: Uint8Array): SignedPublish => {
  const body = { id: 'plan', documentVersion: 1, mediaType: 'text/plain', publisherKey: keyOf(1).publicKey }
  const publish = { ...body, digest: sha256(bytes), sizeBytes: bytes.length }
  return { body: encodeBody({ kind: 'publish', body: publish }).body, order: Uint8Array.of(3), bytes }
}

describe('orders over the wire', () => {
  let members: Members
  let carryOut: AdminServerInit['carryOut']
  let root: MemberHost<Services>
  let asker: MemberHost<Services>
  let connection: Connection
  const hosts: MemberHost<Services>[] = []
  const start = async (role: 'root' | 'integrated' | 'stranger'): Promise<MemberHost<Services>> => {
    const admin = ({ trust }: Pick<AdminServerInit, 'trust'>) =>
      adminServer({ networkId, trust, limits, carryOut: (...given) => carryOut(...given) })
    const host = await startMember<Services>({ members, role, services: (parts) => ({ admin: admin(parts) }) })
    hosts.push(host)
    return host
  }

  beforeEach(async () => {
    members = new Map()
    carryOut = async () => ({ entries: [], waiting: [] })
    root = await start('root')
    asker = await start('integrated')
    connection = await connect(asker.host, root.host)
  })
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host[Symbol.asyncDispose]()))
  })

  it('are carried out for the member that brings them, and answered with their entries', async () => {
    const seen: unknown[] = []
    carryOut = async (call, from, { forwarded }) => {
      seen.push({ call, from, forwarded })
      return { entries: [Uint8Array.of(5)], waiting: [] }
    }
    const { entries } = await ask(connection, { acts: [act] }, { ...options, forwarded: true })
    expect(entries).toEqual([Uint8Array.of(5)])
    expect(seen).toEqual([{ call: { acts: [act] }, from: asker.key.publicKey, forwarded: true }])
  })

  it('are answered with as much of what waits as fits, oldest first', async () => {
    const large = { ...act, body: new Uint8Array(1_000) }
    const waiting: AdminAnswered['waiting'] = Array.from({ length: 20 }, (_, n) => ({
      id: `${n}`,
      sinceMs: n,
      acts: [large]
    }))
    carryOut = async () => ({ entries: [], waiting })
    const answer = await ask(connection, { question: Uint8Array.of(1), order: Uint8Array.of(2) }, options)
    expect(answer.waiting.map(({ id }) => id)).toEqual(['0', '1', '2', '3', '4', '5'])
    expect(answer.waiting[0]?.acts).toEqual([large])
  })

  it.each([
    [NotOperatorError, 'the key is no operator of this network'],
    [SecondOperatorError, 'the policy asks for another operator, too'],
    [ChangedMeanwhileError, 'it was changed meanwhile']
  ])('that the root refuses with %o throw that here, without its text', async (refusal, text) => {
    carryOut = () => Promise.reject(new refusal('a secret of the root'))
    const asked = ask(connection, { acts: [act] }, options)
    await expect(asked).rejects.toThrow(refusal)
    await expect(asked).rejects.toThrow(text)
    await expect(asked).rejects.not.toThrow('a secret')
  })

  it('end when the asker gives up', async () => {
    const carried = Promise.withResolvers<AbortSignal>()
    carryOut = async (_call, _from, { signal }) => {
      carried.resolve(signal)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return { entries: [], waiting: [] }
    }
    const giveUp = new AbortController()
    const asked = ask(connection, { acts: [act] }, { ...options, signal: giveUp.signal })
    const signal = await carried.promise
    giveUp.abort(new Error('no more'))
    await expect(asked).rejects.toThrow('no more')
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    expect(connection.status).toBe('open')
  })

  it('of strangers are not looked at', async () => {
    carryOut = () => Promise.reject(new Error('it was looked at'))
    const stranger = await start('stranger')
    const other = await connect(stranger.host, root.host)
    await expect(ask(other, { acts: [act] }, options)).rejects.toMatchObject({ name: 'NotMemberError' })
  })

  it('bring a document with its bytes in pieces, whatever its length', async () => {
    const seen: AdminCall[] = []
    carryOut = async (call) => {
      seen.push(call)
      return { entries: [Uint8Array.of(5)], waiting: [] }
    }
    for (const length of [0, 1, limits.admin.requestBytes, limits.admin.requestBytes + 1, 262_144]) {
      const document = documentOf(new Uint8Array(length).fill(7))
      const { entries } = await ask(connection, { document }, { ...options, signal: new AbortController().signal })
      expect(entries).toEqual([Uint8Array.of(5)])
      expect(seen.pop()).toEqual({ document })
    }
  })

  it('that bring another number of bytes than their entry says are refused', async () => {
    carryOut = () => Promise.reject(new Error('it was looked at'))
    const document = documentOf(new Uint8Array(10))
    for (const bytes of [new Uint8Array(11), new Uint8Array(limits.admin.requestBytes)]) {
      await expect(ask(connection, { document: { ...document, bytes } }, options)).rejects.toThrow(MalformedFrameError)
    }
    const broken = { ...document, body: Uint8Array.of(255) }
    await expect(ask(connection, { document: broken }, options)).rejects.toThrow(InvalidPayloadError)
    // Nothing more comes: it is waited for no longer than for any request.
    const short = limitsWith({ admin: { deadlineMs: 200 } })
    const unsent = { ...document, bytes: new Uint8Array() }
    await expect(ask(connection, { document: unsent }, { ...options, limits: short })).rejects.toThrow(
      'no answer before the deadline'
    )
  })

  it('that wait for the root are told so in words of a document', async () => {
    carryOut = () => Promise.reject(new PendingError('a secret of the secondary'))
    const asked = ask(connection, { document: documentOf(new Uint8Array(1)) }, options)
    await expect(asked).rejects.toThrow(PendingError)
    await expect(asked).rejects.toThrow('the document waits there for the root')
    carryOut = () => Promise.reject(new PublishRefusedError('a secret of the root'))
    await expect(ask(connection, { document: documentOf(new Uint8Array(1)) }, options)).rejects.toThrow(
      'the root refused the document: INVALID'
    )
  })

  it('are answered with a status whatever the bytes are', async () => {
    for (const [bytes, status] of [
      [Uint8Array.of(255, 255), statuses.MALFORMED],
      [encodeCall({ acts: [act] }, otherNetworkId, false), statuses.WRONG_NETWORK]
    ] as const) {
      const answer = await request(connection, adminProtocol(limits), bytes, { limits })
      expect(AdminAnswer.decode(answer)).toMatchObject({ status, entries: [], waiting: [] })
    }
  })
})
