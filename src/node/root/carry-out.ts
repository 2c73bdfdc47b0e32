import type { Connection } from '@libp2p/interface'
import { equals } from 'uint8arrays/equals'
import type { AdminAnswered, AdminCall } from '../../protocols/admin/index.ts'
import { ask, decodeQuestion } from '../../protocols/admin/index.ts'
import type { ConnectionTrust } from '../../protocols/engine/connection-trust.ts'
import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { Registry } from '../../registry/registry.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotRootError, UnavailableError } from '../../runtime/errors.ts'
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

export interface CarryOutOptions {
  /** True when a registry that is not the root brings it: it is not sent on once more. */
  forwarded?: boolean
  signal: AbortSignal
}

const retryMs = 5_000

/**
 * Carries out what an operator has signed: here at the root, else by asking the root. Nothing is kept while the root is away, as an order
 * says what its signer knew, and soon knows no more.
 *
 * @throws NotOperatorError, SecondOperatorError, ChangedMeanwhileError and what the rules of the log forbid; UnavailableError without the root
 */
export async function carryOut(
  carrier: OrderCarrier,
  call: AdminCall,
  from: Uint8Array,
  { forwarded = false, signal }: CarryOutOptions
): Promise<AdminAnswered> {
  const { registry, limits } = carrier
  if (registry.root !== undefined && !registry.root.isReplaced) return await carryOutHere(registry, call, from)
  if (forwarded) throw new NotRootError('this registry is not the root')
  const options = { networkId: registry.networkId, limits, forwarded: true, signal }
  try {
    return await startTrace('order', {}, async () => await ask(await connectionToRoot(carrier, signal), call, options))
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    const why = `the root cannot be asked (${error.message}): nothing was changed, and nothing is kept; order it again when it is back`
    throw new UnavailableError(why, error.retryAfterMs)
  }
}

/** One that is open, or a new one. @throws UnavailableError */
async function connectionToRoot({ registry, trust, peers }: OrderCarrier, signal: AbortSignal): Promise<Connection> {
  const publicKey = registry.replica.state.rootRegistry()?.publicKey
  if (publicKey === undefined) throw new UnavailableError('no root is known here', retryMs)
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

async function carryOutHere({ admission }: Registry, call: AdminCall, from: Uint8Array): Promise<AdminAnswered> {
  if ('acts' in call) {
    const entries = await admission.orders.submit(call.acts, from)
    return { entries: entries.map(({ bytes }) => bytes), waiting: [] }
  }
  const { orders } = admission
  orders.requireAsker(call.question, call.order, from)
  const question = decodeQuestion(call.question)
  if (question.what === 'waiting') return { entries: [], waiting: orders.waiting() }
  await orders.rejectJoin(question.join, question.reason)
  return { entries: [], waiting: [] }
}
