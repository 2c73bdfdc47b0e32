import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { BlockAnswer } from './pb/blocks.ts'

export const blocksId = '/trustnet/blocks/1.0.0'

/** The newest request that is understood. */
export const blocksVersion = 1

const none = new Uint8Array()

export const blocksProtocol = ({ blocks }: ProtocolLimits): ProtocolDescriptor => ({
  id: blocksId,
  audience: 'members',
  maxInboundStreams: blocks.streams,
  maxOutboundStreams: blocks.streams,
  maxFrame: blocks.requestBytes,
  maxAnswerFrame: blocks.answerBytes,
  // No deadline from open to close: a stream without a request for a while is closed, and one that is asked must answer.
  rate: blocks.rate,
  refusal: (status, retryAfterMs) =>
    BlockAnswer.encode({ status, digest: none, bytes: none, absent: false, retryAfterMs })
})
