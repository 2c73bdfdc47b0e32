import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { ForwardAnswer } from './pb/forward.ts'

export const forwardId = '/trustnet/forward/1.0.0'

/** The newest request that is understood. */
export const forwardVersion = 1

export const forwardProtocol = ({ forward }: ProtocolLimits): ProtocolDescriptor => ({
  id: forwardId,
  audience: 'members',
  maxInboundStreams: forward.ofPeer + forward.opening,
  maxOutboundStreams: forward.ofPeer + forward.opening,
  maxFrame: forward.requestBytes,
  maxAnswerFrame: forward.answerBytes,
  bytesFollow: true,
  // No deadline from open to close: the request has one, and a forward on which nothing moves is closed.
  rate: forward.rate,
  refusal: (status, retryAfterMs) =>
    ForwardAnswer.encode({ version: forwardVersion, status, retryAfterMs, policyEntry: 0 })
})
