import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { refusal, stopRefusal } from './messages.ts'

/** Asks a relay for a reservation, or for a circuit. https://github.com/libp2p/specs/blob/master/relay/circuit-v2.md */
export const hopId = '/libp2p/circuit/relay/0.2.0/hop'
/** Brings a circuit to whoever has a reservation. */
export const stopId = '/libp2p/circuit/relay/0.2.0/stop'

const common = ({ relay }: ProtocolLimits) =>
  ({
    section: 'relay',
    audience: 'members',
    maxInboundStreams: relay.circuitsOfPeer + relay.opening,
    maxOutboundStreams: relay.circuitsOfPeer + relay.opening,
    maxFrame: relay.messageBytes,
    maxAnswerFrame: relay.messageBytes,
    bytesFollow: true,
    // No deadline from open to close: the messages have one, and a circuit has a longest time.
    rate: relay.rate
  }) as const

export const hopProtocol = (limits: ProtocolLimits): ProtocolDescriptor => ({ id: hopId, ...common(limits), refusal })

export const stopProtocol = (limits: ProtocolLimits): ProtocolDescriptor => ({
  id: stopId,
  ...common(limits),
  refusal: stopRefusal
})
