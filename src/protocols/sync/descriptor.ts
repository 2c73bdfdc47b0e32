import type { ProtocolLimits } from '../engine/limits.ts'
import type { ProtocolDescriptor } from '../engine/protocol.ts'
import { SyncFrame } from './pb/sync.ts'

export const syncId = '/trustnet/sync/1.0.0'

/** The newest request that is understood. */
export const syncVersion = 1

export const syncModes = { delta: 0, snapshot: 1 } as const

export const syncProtocol = (limits: ProtocolLimits): ProtocolDescriptor => ({
  id: syncId,
  audience: 'members',
  maxInboundStreams: limits.sync.streams,
  maxOutboundStreams: limits.sync.streams,
  maxFrame: limits.sync.requestBytes,
  maxAnswerFrame: limits.sync.frameBytes,
  // No deadline: a subscription goes on; the handler watches its request, the writer its reader.
  rate: limits.sync.rate,
  refusal: (status, retryAfterMs) => startFrame({ status, retryAfterMs })
})

interface StartFields {
  status: number
  mode?: number
  replicaAgeMs?: number
  retryAfterMs?: number
}

export const startFrame = ({ status, mode = 0, replicaAgeMs = 0, retryAfterMs = 0 }: StartFields): Uint8Array =>
  SyncFrame.encode({ start: { status, mode, replicaAgeMs, retryAfterMs } })
