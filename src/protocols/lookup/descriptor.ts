import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { LookupAnswer } from './pb/lookup.ts'

export const lookupId = '/trustnet/lookup/1.0.0'

/** The newest request that is understood. */
export const lookupVersion = 1

export const lookupProtocol = (limits: ProtocolLimits): ProtocolDescriptor => ({
  id: lookupId,
  audience: 'members',
  maxInboundStreams: limits.lookup.streams,
  maxOutboundStreams: limits.lookup.streams,
  maxFrame: limits.lookup.requestBytes,
  maxAnswerFrame: limits.lookup.answerBytes,
  // No deadline from open to close: each question has its own, and a stream without one for a while is closed.
  rate: limits.lookup.rate,
  refusal: (status, retryAfterMs) => LookupAnswer.encode({ status, retryAfterMs })
})
