import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

const gib = 1024 ** 3

/** One line that lets a reader judge the figures. */
export const machine = (): string =>
  [
    `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`,
    `${Math.round(totalmem() / gib)} GiB`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`
  ].join(', ')

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()

/** Commit of the source that was measured; with a mark when it was changed since. */
export function commit(): string {
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'bin').length > 0
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
  } catch {
    return 'unknown'
  }
}
