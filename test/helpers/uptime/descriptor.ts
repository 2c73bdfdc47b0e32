import type { ProtocolDescriptor } from '../../../src/protocols/engine/protocol.ts'
import { UptimeAnswer } from './pb/uptime.ts'

/** The newest request that is understood. */
export const uptimeVersion = 1

/** The protocol as data: the engine enforces all of it before the handler sees a byte. A real one takes its numbers from the table of limits. */
export const uptimeProtocol: ProtocolDescriptor = {
  id: '/trustnet/uptime/1.0.0',
  audience: 'members',
  maxInboundStreams: 2,
  maxOutboundStreams: 2,
  maxFrame: 64,
  maxAnswerFrame: 64,
  deadlineMs: 5_000,
  rate: { count: 10, perMs: 60_000 },
  refusal: (status, retryAfterMs) => UptimeAnswer.encode({ status, upMs: 0, retryAfterMs })
}
