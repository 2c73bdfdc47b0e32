import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import { type AdminAnswered, type AdminCall, ask } from '../../protocols/admin/index.ts'
import { RemoteFailureError } from '../../protocols/engine/errors.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { ConnectionTrust } from '../../protocols/engine/trust/connection-trust.ts'
import type { Registry } from '../../registry/registry.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { UnavailableError } from '../../runtime/errors.ts'
import { failureOf } from '../../runtime/failures.ts'
import { startTrace } from '../../runtime/trace.ts'
import type { Connector } from '../peers/connector.ts'

/** The parts of a node by which it carries orders out, or brings them to the root. */
export interface OrderCarrier {
  readonly registry: Registry
  readonly limits: ProtocolLimits
  readonly trust: Pick<ConnectionTrust, 'members'>
  /** undefined while the node starts. */
  readonly peers: Pick<Connector, 'connect'> | undefined
}

const retryMs = 5_000

/** Asks the root, over a connection that is open or a new one. @throws UnavailableError without one; what it refuses */
export async function askRoot(carrier: OrderCarrier, call: AdminCall, signal: AbortSignal): Promise<AdminAnswered> {
  const { registry, limits } = carrier
  const publicKey = registry.replica.state.rootRegistry()?.publicKey
  if (publicKey === undefined) throw new UnavailableError('no root is known here', retryMs)
  const options = { networkId: registry.networkId, limits, forwarded: true, signal }
  return await startTrace(
    'order',
    {},
    async () => await ask(await connectionTo(carrier, publicKey, signal), call, options)
  )
}

/** Tells whether the root may have been asked and nobody knows what it has answered. */
export const isLost = (error: unknown): boolean => {
  const { code, wire } = failureOf(error)
  return code === 'TIMEOUT' || (wire === undefined && !(error instanceof RemoteFailureError))
}

/** One that is open, or a new one. @throws UnavailableError */
export async function connectionTo(
  { registry, trust, peers }: OrderCarrier,
  publicKey: Uint8Array,
  signal: AbortSignal
): Promise<Connection> {
  for (const { connection, member } of trust.members()) {
    if (connection.status === 'open' && equals(member.publicKey, publicKey)) return connection
  }
  if (peers === undefined) throw new UnavailableError('this process starts: it dials nobody yet', retryMs)
  const addrs = [...(registry.records.read(publicKey)?.addrs ?? [])]
  try {
    return await peers.connect({ publicKey, addrs, isRegistry: true }, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw new UnavailableError(`no connection to ${addrs.join(', ') || 'it'}: ${reasonOf(error)}`, retryMs)
  }
}
