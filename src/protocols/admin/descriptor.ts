import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { AdminAnswer } from './pb/admin.ts'

export const adminId = '/trustnet/admin/1.0.0'

/** The newest request that is understood. */
export const adminVersion = 1

/** Subjects of questions. The numbers are on the wire. */
export const questions = { waiting: 1, reject: 2, withdraw: 3 } as const

export const adminProtocol = ({ admin }: ProtocolLimits): ProtocolDescriptor => ({
  id: adminId,
  audience: 'members',
  maxInboundStreams: admin.streams,
  maxOutboundStreams: admin.streams,
  maxFrame: admin.requestBytes,
  maxAnswerFrame: admin.answerBytes,
  deadlineMs: admin.deadlineMs,
  rate: admin.rate,
  refusal: (status, retryAfterMs) => AdminAnswer.encode({ version: adminVersion, status, retryAfterMs })
})
