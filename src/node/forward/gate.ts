import { connect, type Socket } from 'node:net'
import type { Connect } from '../../protocols/forward/index.ts'
import { mayCall } from '../../registry/objects/policy/call-rules.ts'
import type { Registry } from '../../registry/registry.ts'
import { onAbort } from '../../runtime/abort.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { NotAllowedError, NotExposedError, NotMemberError, UnavailableError } from '../../runtime/errors.ts'
import { inWords } from '../../runtime/files/system-error.ts'
import type { ExposedServices } from './exposed-services.ts'
import { holdService } from './hold-service.ts'
import { type Target, targetOf } from './target.ts'

const retryMs = 2_000

export interface GateInit {
  registry: Registry
  /** Key of this node. */
  self: Uint8Array
  exposed: ExposedServices
}

/** The reason why a member may not call a service here; undefined: it may. */
export function refusalOf({ registry, self }: GateInit, publicKey: Uint8Array, service: string): Error | undefined {
  const { replica } = registry
  const { n, policy } = replica.state.policyRow
  if (!replica.isMember(publicKey)) return new NotMemberError('the caller is no member any more')
  const [caller, called] = [replica.state.member(publicKey), replica.state.member(self)]
  if (caller === undefined || called === undefined) return new NotMemberError('caller or called is no member here yet')
  if (mayCall(policy, caller, called, service)) return undefined
  return new NotAllowedError(`no rule of the policy lets ${caller.name} call ${service} here`, n)
}

export const notExposed = ({ exposed }: GateInit, service: string): NotExposedError | undefined =>
  exposed.addressOf(service) === undefined ? new NotExposedError(`${service} is not exposed here`) : undefined

/** Finds the way to an exposed service for a member. @throws NotMemberError, NotAllowedError, NotExposedError */
export function wayTo(gate: GateInit, publicKey: Uint8Array, service: string): Connect {
  const refusal = refusalOf(gate, publicKey, service)
  if (refusal !== undefined) throw refusal
  const address = gate.exposed.addressOf(service)
  if (address === undefined) throw new NotExposedError(`${service} is not exposed here`)
  return async (signal) => await connectedTo(address, gate.exposed.control, signal)
}

async function connectedTo(address: string, control: string, signal: AbortSignal): Promise<Socket> {
  const target = targetOf(address)
  if (!('path' in target)) return await connected(address, target, signal)
  try {
    using held = holdService(target.path, control)
    return await connected(address, { ...target, path: held.path }, signal)
  } catch (error) {
    throw error instanceof UnavailableError ? error : noAnswer(address, reasonOf(error))
  }
}

const noAnswer = (address: string, why: string): UnavailableError =>
  new UnavailableError(`nothing answers at ${address}: ${inWords(why)}`, retryMs)

async function connected(address: string, target: Target, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(target)
  const failed = (error: Error): void => {
    socket.destroy()
    reject(noAnswer(address, error.message))
  }
  using _ = onAbort(signal, failed)
  // Also for the moment in which it is connected, and nobody has it yet.
  socket.on('error', failed)
  socket.once('connect', () => {
    socket.setNoDelay(true)
    socket.pause()
    resolve(socket)
  })
  return await promise
}
