import type { Connection } from '@libp2p/interface'
import { decodeFrame, type OpenOptions, request } from '../../../src/protocols/engine/protocol.ts'
import { errorOf, statuses } from '../../../src/protocols/engine/status.ts'
import { uptimeProtocol, uptimeVersion } from './descriptor.ts'
import { UptimeAnswer, UptimeRequest } from './pb/uptime.ts'

/** Asks the other side of a connection for how long it has run, ms. @throws its refusal; whatever kept it from answering */
export async function uptime(connection: Connection, networkId: Uint8Array, options: OpenOptions): Promise<number> {
  const question = UptimeRequest.encode({ version: uptimeVersion, networkId })
  const bytes = await request(connection, uptimeProtocol, question, options)
  const { status, upMs, retryAfterMs } = decodeFrame((frame) => UptimeAnswer.decode(frame), bytes)
  if (status !== statuses.OK) throw errorOf(status, 'the member refused to tell its uptime', { retryAfterMs })
  return upMs
}
