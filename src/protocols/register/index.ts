import { type Register, type RegisterComponents, type RegisterInit, RegisterService } from './server.ts'

export type { RegisterBackendEvents } from './backend.ts'
export { openRegisterSession, RegisterSession } from './client.ts'
export { positionOf } from './newer-checkpoint.ts'
export { registryBackend, type SessionRegistry } from './registry-backend.ts'
export type { Register } from './server.ts'
export type { RegisterCall, Registered, RegistrySession, SessionEnd } from './session-types.ts'

/**
 * Serves joins, registrations, leases and records to members, and joins to strangers.
 *
 * @example
 * createLibp2p({ services: { register: register({ backend, trust, limits, silentMs: 90_000 }) } })
 */
export function register(init: RegisterInit): (components: RegisterComponents) => Register {
  return (components) => new RegisterService(components, init)
}
