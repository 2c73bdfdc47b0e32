import { maxStepMs } from '../../runtime/steady-clock.ts'
import { count, span } from '../views/phrases.ts'
import type { NetworkFacts } from './status-facts.ts'

export interface ClockFault {
  readonly code: 'clock' | 'root_clock'
  readonly message: string
  readonly fix: string
}

const setIt = 'timedatectl set-ntp true'

const isOff = (ms: number): boolean => Math.abs(ms) > maxStepMs

const off = (ms: number): string => `${span(Math.abs(ms))} ${ms > 0 ? 'ahead of' : 'behind'}`

/** Finds whose clock is wrong, by what the clocks of other members say; undefined: none is, as far as is known. */
export function clockFault({ clocks, checkpointMs, root }: ClockFacts, now: number): ClockFault | undefined {
  if (clocks === undefined) return unheard(checkpointMs, now)
  const { aheadMs, agreeing, heard, aheadOfRootMs } = clocks
  if (2 * agreeing <= heard) return undefined
  if (isOff(aheadMs)) {
    const message =
      heard === 1
        ? `the clock of this machine is ${off(aheadMs)} that of the only member that was heard: one of the two is wrong`
        : `the clock of this machine is wrong: it is ${off(aheadMs)} those of ${agreeing} of ${count(heard, 'member')} that were heard`
    return { code: 'clock', message, fix: heard === 1 ? `${setIt} (on both)` : setIt }
  }
  const rootAheadMs = aheadOfRootMs === undefined ? 0 : aheadMs - aheadOfRootMs
  if (!isOff(rootAheadMs)) return undefined
  const message = `the clock of the root ${root?.name ?? ''} is ${off(rootAheadMs)} those of this machine and ${count(agreeing, 'other member')}`
  return { code: 'root_clock', message: message.replace('  ', ' '), fix: `${setIt} (at the root)` }
}

type ClockFacts = Pick<NetworkFacts, 'clocks' | 'checkpointMs' | 'root'>

/** Nobody was heard: a checkpoint of a time that has not come yet tells of one wrong clock of two. */
const unheard = (checkpointMs: number | undefined, now: number): ClockFault | undefined =>
  checkpointMs === undefined || checkpointMs <= now + maxStepMs
    ? undefined
    : {
        code: 'clock',
        message: `the clock of this machine is ${off(now - checkpointMs)} that of the root, or the root's is ahead`,
        fix: setIt
      }

/** Time for which nothing was heard of the root, whatever the two clocks say. */
export function silentMs({ replicaAgeMs, checkpointMs, clocks }: SilenceFacts, now: number): number {
  if (clocks === undefined || checkpointMs === undefined) return replicaAgeMs
  return Math.max(0, now - checkpointMs - (clocks.aheadOfRootMs ?? clocks.aheadMs))
}

type SilenceFacts = Pick<NetworkFacts, 'replicaAgeMs' | 'checkpointMs' | 'clocks'>
