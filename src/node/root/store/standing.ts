import { existsSync } from 'node:fs'
import type { SigningKey } from '../../../identity/keys.ts'
import { isRegistryRole } from '../../../identity/role.ts'
import type { Replica } from '../../../registry/log/replica.ts'
import type { RootLogState } from '../../../registry/log/root-log/root-log.ts'
import type { Clock } from '../../../runtime/clock-and-logger.ts'
import { durationText, maxStepMs } from '../../../runtime/steady-clock.ts'
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

/**
 * The reason why a root with this clock would sign a wrong time; undefined: the database has it as well, or the newest checkpoint has, whose
 * time goes on. A clock that was put right meanwhile is followed.
 */
export function clockFault(
  clock: Clock,
  { checkpoint }: Pick<Replica, 'checkpoint'>,
  { clockMs }: RootLogState
): string | undefined {
  const { stepMs = 0 } = clock
  const isRight = (nowMs: number): boolean =>
    [clockMs, checkpoint?.value.timeMs].some((each) => each !== undefined && Math.abs(nowMs - each) <= maxStepMs)
  if (clockMs === undefined || isRight(clock.now())) return undefined
  if (stepMs !== 0 && isRight(clock.now() + stepMs)) {
    clock.accept?.()
    return undefined
  }
  const offMs = clock.now() - clockMs
  const side = offMs > 0 ? 'ahead of' : 'behind'
  return `the clock of this machine is ${durationText(offMs)} ${side} that of the database, and the newest checkpoint has another time, too: set the wrong one right`
}
