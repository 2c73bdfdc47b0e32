import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { answerOf } from './answers.ts'
import { SessionFrame } from './pb/register.ts'

/** Open to strangers, who can join here and nothing else. The stream goes on; its pings watch it. */
export const registerDescriptor = ({ register }: ProtocolLimits): ProtocolDescriptor => ({
  id: '/trustnet/register/1.0.0',
  audience: 'anyone',
  maxInboundStreams: register.streams,
  maxOutboundStreams: register.streams,
  maxFrame: register.frameBytes,
  maxAnswerFrame: register.answerBytes,
  rate: register.opens,
  refusal: (status, retryAfterMs) => SessionFrame.encode({ id: 0, answer: answerOf(status, { retryAfterMs }) })
})
