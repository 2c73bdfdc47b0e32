import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

const gib = 1024 ** 3

/** Load of the machine before anything was measured. */
const [loadBefore = 0] = loadavg()
const isBusy = loadBefore > availableParallelism()

/** One line that lets a reader judge the figures. */
export const machine = (): string =>
  [
    `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`,
    `${Math.round(totalmem() / gib)} GiB`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    ...(isBusy ? [`busy with other work (load ${Math.round(loadBefore)}): the figures are doubtful`] : [])
  ].join(', ')

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim()

/** Commit of the source that was measured; with a mark when it was changed since. */
export function commit(): string {
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'bin').length > 0
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
  } catch {
    return 'unknown'
  }
}

/** Tells whether a commit is in the history that leads to what lies here. */
export function isInHistory(hash: string): boolean {
  try {
    git('merge-base', '--is-ancestor', hash, 'HEAD')
    return true
  } catch {
    return false
  }
}

/** False where there is no repository, or only its newest commits, as in CI: then nothing is said about older ones. */
export function hasWholeHistory(): boolean {
  try {
    return git('rev-parse', '--is-shallow-repository') === 'false'
  } catch {
    return false
  }
}
