import type { ProtocolLimits } from '../../protocols/engine/limits.ts'
import type { Config } from './schema.ts'

/** Limits of the protocols. The heartbeats of a shorter interval are as many more: twice what it asks for. */
export const protocolLimits = ({ protocols, heartbeat, replication }: Config): ProtocolLimits => {
  const perMs = Math.min(protocols.register.heartbeats.perMs, heartbeat.intervalMs / 2)
  return {
    ...protocols,
    register: { ...protocols.register, heartbeats: { ...protocols.register.heartbeats, perMs } },
    sync: { ...protocols.sync, progressMs: replication.syncTimeoutMs }
  }
}
