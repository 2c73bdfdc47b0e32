import { existsSync } from 'node:fs'
import type { SigningKey } from '../../../identity/keys.ts'
import { isRegistryRole } from '../../../identity/role.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import { isEpochPrepared, ownLogKey } from '../log-key.ts'

/** A process that may stand for the place of the root. */
export interface Standing {
  readonly publicKey: SigningKey['publicKey']
  /** File with the log key. */
  readonly logKey: string
}

/** The reason why a process cannot take the place of the root; undefined: it can. @throws KeyFileError */
export function standingFault({ publicKey, logKey }: Standing, { state, isForked }: Replica): string | undefined {
  const role = state.member(publicKey)?.role
  if (isForked) return 'the log has two histories'
  if (role === undefined || !isRegistryRole(role)) return 'it is no registry of the network yet'
  if (state.isRevoked(publicKey)) return 'its key is revoked'
  // One that was made here and stands in the log already, before the process ended, is put in its place.
  const isThere = existsSync(logKey) || isEpochPrepared(logKey)
  if (!isThere) return `it has no log key: copy log.key of the root to ${logKey}, mode 0600`
  if (state.keys.isKeyOf(state.keys.epoch, ownLogKey(logKey, state.keys).publicKey)) return undefined
  return `${logKey} is not the log key of today: copy log.key of the root there, mode 0600`
}
