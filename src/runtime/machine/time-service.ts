import { statSync } from 'node:fs'

/** Folder that systemd-timesyncd keeps while it runs; a file in it is touched whenever the clock was compared with a server. */
const keptBySystemd = '/run/systemd/timesync'

export interface TimeServiceInit {
  /** Wall clock. */
  nowMs: number
  /** Time since the machine was started. */
  upMs: number | undefined
  /** A clock and a file system may differ by this much. */
  slackMs: number
  folder?: string
}

/**
 * Tells whether the time service of the machine has set its clock since the machine was started. undefined: nothing here says so, or it may
 * not be read. A clock that was moved since then is further from that moment than the machine has run.
 */
export function isClockServed({ nowMs, upMs, slackMs, folder = keptBySystemd }: TimeServiceInit): boolean | undefined {
  try {
    const setMs = changedMs(`${folder}/synchronized`)
    if (setMs === undefined) return changedMs(folder) === undefined ? undefined : false
    const ageMs = nowMs - setMs
    return ageMs >= -slackMs && ageMs <= (upMs ?? 0) + slackMs
  } catch {
    return undefined
  }
}

const changedMs = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mtimeMs
