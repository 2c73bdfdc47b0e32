import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { Hello as HelloMessage } from './pb/hello.ts'

/** Version of the Hello message. */
export const helloVersion = 1

export const helloDescriptor = ({ hello }: ProtocolLimits): ProtocolDescriptor => ({
  id: '/trustnet/hello/1.0.0',
  audience: 'anyone',
  maxInboundStreams: hello.streams,
  maxOutboundStreams: hello.streams,
  maxFrame: hello.frameBytes,
  maxAnswerFrame: hello.frameBytes,
  deadlineMs: hello.deadlineMs,
  rate: hello.rate,
  refusal: (status) => HelloMessage.encode({ version: helloVersion, status })
})
