import type { Alarms } from '../../registry/alarms.ts'
import { type Clock, wallTimeOf } from '../../runtime/clock-and-logger.ts'

/** Clocks of two machines may differ by this much. */
const clocksDifferMs = 60_000

/**
 * Tells whether a record was signed while this process ran, by what the wall clock says now: since `started`, a moment, and
 * not in the future. One of the future was signed while a clock was ahead, which a former process over the same data may
 * have done as well as another machine.
 */
export const isOfThisRun = (issuedMs: number, clock: Clock, started: number): boolean =>
  issuedMs >= wallTimeOf(clock, started) && issuedMs <= clock.now() + (clock.stepMs ?? 0) + clocksDifferMs

/** A record was not signed while this process ran: it is of a former one over the same data, unless somebody else has the key. */
export const raiseReused = (alarms: Alarms): void =>
  alarms.raise(
    'seq_reused',
    'a newer record of this node came than its store knows: its data folder was put back from an older copy, which mends itself, or another machine has its key'
  )

/** Another process uses the key of this one while it runs. */
export const raiseDuplicate = (alarms: Alarms, reason: string): void =>
  alarms.raise('duplicate_key', `${reason}: stop one of them; a cloned machine needs a key of its own`)
