import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { ProbeAnswer } from './pb/probe.ts'

export const probeId = '/trustnet/probe/1.0.0'

/** The newest request that is understood. */
export const probeVersion = 1

/** On the wire; 0 with a refusal. */
export const outcomes = { reached: 1, failed: 2 } as const

/** On the wire: why a dial failed. */
export const dialFailures = { refused: 1, noAnswer: 2, noRoute: 3, otherKey: 4, other: 5 } as const
export type DialFailure = keyof typeof dialFailures

export const probeProtocol = ({ probe }: ProtocolLimits): ProtocolDescriptor => ({
  id: probeId,
  audience: 'members',
  maxInboundStreams: probe.streams,
  maxOutboundStreams: probe.streams,
  maxFrame: probe.requestBytes,
  maxAnswerFrame: probe.answerBytes,
  deadlineMs: probe.deadlineMs,
  rate: probe.rate,
  refusal: (status, retryAfterMs) => ProbeAnswer.encode({ status, outcome: 0, retryAfterMs })
})
