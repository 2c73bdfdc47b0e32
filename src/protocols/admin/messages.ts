import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { toString as text } from 'uint8arrays/to-string'
import type { SignedPublish } from '../../registry/documents/signed-publish.ts'
import type { Act } from '../../registry/objects/orders/act.ts'
import { UnsupportedVersionError, WrongNetworkError } from '../../runtime/errors.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import { MalformedFrameError } from '../engine/errors.ts'
import { decodeFrame } from '../engine/protocol.ts'
import { adminVersion, questions } from './descriptor.ts'
import { AdminQuestion, AdminRequest } from './pb/admin.ts'

/** A question of an operator, which makes no entry. */
export type Question =
  | { what: 'waiting' }
  | { what: 'reject'; join: Uint8Array; reason: string }
  | { what: 'withdraw'; id: string }

/** A question as it was signed, with the order over its bytes. */
export interface SignedQuestion {
  question: Uint8Array
  order: Uint8Array
}

/** Request of an operator: acts, all or none, or a question. Or the document of a publisher. */
export type AdminCall = { acts: readonly Act[] } | SignedQuestion | { document: SignedPublish }

export interface AdminAnswered {
  /** Envelopes of the entries, one for each act. */
  entries: readonly Uint8Array[]
  /** Acts that wait for an operator; joins have an empty id, and acts without an order. */
  waiting: readonly { id: string; sinceMs: number; acts: readonly Act[] }[]
}

const none = new Uint8Array()
const decodeLimits = { acts: 16 }

export const encodeQuestion = (question: Question): Uint8Array => {
  const what = questions[question.what]
  if (question.what === 'waiting') return AdminQuestion.encode({ what, join: none, reason: '' })
  if (question.what === 'reject') return AdminQuestion.encode({ what, join: question.join, reason: question.reason })
  return AdminQuestion.encode({ what, join: fromString(question.id, 'base16'), reason: '' })
}

/** @throws MalformedFrameError, UnsupportedVersionError */
export function decodeQuestion(bytes: Uint8Array): Question {
  const { what, join, reason } = decodeFrame((frame) => AdminQuestion.decode(frame), bytes)
  if (what === questions.waiting) return { what: 'waiting' }
  if (what === questions.reject) return { what: 'reject', join, reason }
  if (what === questions.withdraw) return { what: 'withdraw', id: text(join, 'base16') }
  throw new UnsupportedVersionError('a question of a newer version')
}

export const encodeCall = (call: AdminCall, networkId: Uint8Array, forwarded: boolean): Uint8Array =>
  AdminRequest.encode({
    version: adminVersion,
    networkId,
    acts: [],
    question: none,
    order: none,
    trace: none,
    ...('acts' in call ? { acts: [...call.acts] } : call),
    ...carriedTrace(),
    forwarded
  })

export interface AskedCall {
  call: AdminCall
  forwarded: boolean
  trace: Uint8Array
}

/** The same before the bytes of a document have come. */
type Head<Call> = Call extends { document: SignedPublish } ? { document: Omit<SignedPublish, 'bytes'> } : Call
export type AskedHead = Omit<AskedCall, 'call'> & { call: Head<AdminCall> }

/** @throws MalformedFrameError, UnsupportedVersionError, WrongNetworkError */
export function decodeCall(bytes: Uint8Array, networkId: Uint8Array): AskedHead {
  const request = decodeFrame((frame) => AdminRequest.decode(frame, { limits: decodeLimits }), bytes)
  const { version, acts, question, order, forwarded, trace, document } = request
  if (version > adminVersion) throw new UnsupportedVersionError(`an order in version ${version}`)
  if (!equals(request.networkId, networkId)) throw new WrongNetworkError('an order in another network')
  const given = [acts.length > 0, question.length > 0, document !== undefined].filter(Boolean).length
  if (given === 1 && document !== undefined) return { call: { document }, forwarded, trace }
  if (given === 1 && acts.length > 0) return { call: { acts }, forwarded, trace }
  if (given === 1 && order.length > 0) return { call: { question, order }, forwarded, trace }
  throw new MalformedFrameError('neither acts nor a question nor a document')
}
