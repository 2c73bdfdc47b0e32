import type { Connection } from '@libp2p/interface'
import { encodeAddr } from '../../address/multiaddr.ts'
import { carriedTrace } from '../../runtime/trace.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { decodeFrame, request } from '../engine/protocol.ts'
import { errorOf, statuses } from '../engine/status.ts'
import { probeProtocol, probeVersion } from './descriptor.ts'
import { type DialResult, resultOf, type Told, toldOf } from './messages.ts'
import { ProbeAnswer, ProbeRequest } from './pb/probe.ts'

export interface ProbeOptions {
  networkId: Uint8Array
  limits: ProtocolLimits
  signal?: AbortSignal
}

const none = new Uint8Array()

/** Members and words of an answer, however small each is. */
const decodeLimits = { members: 5_000, members$: { addrs: 8, addrs$: { words: 16 } } }

/**
 * Asks whether the member at the other end can dial this address (`/ip6/…/tcp/…`) of our own record.
 * @throws its refusal; whatever kept it from answering
 */
export async function probe(connection: Connection, addr: string, options: ProbeOptions): Promise<boolean> {
  const answer = await ask(connection, { addr: encodeAddr(addr), target: none }, options)
  return resultOf(answer).failure === undefined
}

/** Asks a member, as a registry, whether it can dial this address of the record of another one. @throws as above */
export async function probeMember(
  connection: Connection,
  { publicKey, addr }: { publicKey: Uint8Array; addr: string },
  options: ProbeOptions
): Promise<DialResult> {
  return resultOf(await ask(connection, { addr: encodeAddr(addr), target: publicKey }, options))
}

/** Asks a registry what members said of the addresses of one, or of all. @throws as above */
export async function askTold(
  connection: Connection,
  publicKey: Uint8Array | undefined,
  options: ProbeOptions
): Promise<Told> {
  return toldOf(await ask(connection, { addr: none, target: publicKey ?? none }, options))
}

async function ask(
  connection: Connection,
  what: { addr: Uint8Array; target: Uint8Array },
  { networkId, limits, signal }: ProbeOptions
): Promise<ProbeAnswer> {
  const question = ProbeRequest.encode({ version: probeVersion, networkId, ...what, ...carriedTrace() })
  const bytes = await request(connection, probeProtocol(limits), question, { limits, signal })
  const answer = decodeFrame((frame) => ProbeAnswer.decode(frame, { limits: decodeLimits }), bytes)
  const { status, retryAfterMs } = answer
  if (status !== statuses.OK) throw errorOf(status, 'the member refused the probe', { retryAfterMs })
  return answer
}
