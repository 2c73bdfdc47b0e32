import type { Connection } from '@libp2p/interface'
import { encodeAddr } from '../../address/multiaddr.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, request } from '../engine/protocol.ts'
import { errorOf, statuses } from '../engine/status.ts'
import { outcomes, probeProtocol, probeVersion } from './descriptor.ts'
import { ProbeAnswer, ProbeRequest } from './pb/probe.ts'

export interface ProbeOptions {
  networkId: Uint8Array
  limits: ProtocolLimits
  signal?: AbortSignal
}

/**
 * Asks whether the member at the other end can dial this address (`/ip6/…/tcp/…`) of our own record.
 * @throws its refusal; whatever kept it from answering
 */
export async function probe(connection: Connection, addr: string, options: ProbeOptions): Promise<boolean> {
  const { networkId, limits, signal } = options
  const question = ProbeRequest.encode({ version: probeVersion, networkId, addr: encodeAddr(addr), ...carriedTrace() })
  const bytes = await request(connection, probeProtocol(limits), question, { limits, signal })
  const { status, outcome, retryAfterMs } = decodeFrame((frame) => ProbeAnswer.decode(frame), bytes)
  if (status !== statuses.OK) throw errorOf(status, 'the member refused the probe', { retryAfterMs })
  return outcome === outcomes.reached
}
