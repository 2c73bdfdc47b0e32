import { UnavailableError } from '../../runtime/errors.ts'
import { durationText, maxStepMs } from '../../runtime/steady-clock.ts'
import type { Replica } from './replica.ts'

/** After a longer pause nothing comes back by itself anyway: rather is the clock wrong. */
const longestSleepMs = 366 * 24 * 3_600_000

/** A clock is put right by people. */
const retryMs = 60_000
const fix =
  'nothing is signed: set the clock right, or say with `trustnet registry clock --accept` that it is right now'

/** The answer while the clock of the root's machine cannot be right. `hasSigned`: this process has signed something with it. */
export function clockRefusal(replica: Replica, hasSigned: boolean): UnavailableError | undefined {
  const problem = clockProblem(replica, hasSigned)
  return problem === undefined ? undefined : new UnavailableError(`${problem}; ${fix}`, retryMs)
}

function clockProblem({ ledger, checkpoint }: Replica, hasSigned: boolean): string | undefined {
  const { clock } = ledger
  const { stepMs = 0 } = clock
  const lastMs = checkpoint?.value.timeMs ?? clock.now()
  const problem = hasSigned ? undefined : implausible(clock.now(), lastMs)
  if (stepMs === 0) return problem
  if (problem === undefined || implausible(clock.now() + stepMs, lastMs) !== undefined) {
    return `the clock of this machine has stepped by ${durationText(stepMs)} while it ran`
  }
  // It was wrong at the start, and was put right before anything was signed.
  clock.accept?.()
  return undefined
}

function implausible(nowMs: number, lastMs: number): string | undefined {
  const gapMs = nowMs - lastMs
  if (gapMs < -maxStepMs) return `the clock of this machine is ${durationText(gapMs)} behind the newest checkpoint`
  return gapMs > longestSleepMs ? `this root has signed nothing for ${durationText(gapMs)}, by its clock` : undefined
}
