import type { BackoffInit } from '../../runtime/backoff.ts'
import type { Config } from './schema.ts'

/** Pauses between tries, as the configuration says. */
export const backoffOf = ({ replication }: Pick<Config, 'replication'>): BackoffInit => ({
  initialMs: replication.backoffInitialMs,
  maxMs: replication.backoffMaxMs,
  multiplier: replication.backoffMultiplier
})
