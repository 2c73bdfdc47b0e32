import { copyFileSync, existsSync, statSync, truncateSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'

/** What a process that is dead cannot do any more. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash'
}

/** One statement that writes, or opens or ends a transaction; `execute` runs it. */
export interface Step {
  readonly path: string
  readonly sql: string
  readonly execute: () => unknown
}

type Watcher = (step: Step) => unknown

interface RunStatement {
  run: (this: BetterSqlite3.Statement, ...given: unknown[]) => unknown
}

/** By the path of the database file. */
const watchers = new Map<string, Watcher>()

/**
 * Between the program and SQLite: better-sqlite3 runs every statement that changes something through `run` of a statement (its own
 * transactions, too) or `exec` of the database, so no code of the product has to know of it.
 */
const install = (): void => {
  const probe = new BetterSqlite3(':memory:')
  const statements = Object.getPrototypeOf(probe.prepare('SELECT 1')) as RunStatement
  probe.close()
  const { run } = statements
  const databases: { exec: (this: BetterSqlite3.Database, sql: string) => BetterSqlite3.Database } =
    BetterSqlite3.prototype
  const { exec } = databases
  statements.run = function (...given) {
    const watcher = watchers.get(this.database.name)
    const execute = (): unknown => run.apply(this, given)
    return watcher === undefined ? execute() : watcher({ path: this.database.name, sql: this.source, execute })
  }
  databases.exec = function (sql) {
    const watcher = watchers.get(this.name)
    const execute = (): unknown => exec.call(this, sql)
    if (watcher === undefined) execute()
    else watcher({ path: this.name, sql, execute })
    return this
  }
}

let isInstalled = false

/** Hands every step of the store at `path` to `watcher`, which executes it or not. */
export const watchStore = (path: string, watcher: Watcher): void => {
  if (!isInstalled) install()
  isInstalled = true
  watchers.set(path, watcher)
}

export const unwatchStore = (path: string): void => void watchers.delete(path)

const walOf = (path: string): string => `${path}-wal`
const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0)

/** What a process that dies now leaves of its store: all that it handed to the system. */
export const copyStore = (from: string, to: string): void => {
  copyFileSync(from, to)
  if (existsSync(walOf(from))) copyFileSync(walOf(from), walOf(to))
}

export interface CrashPlan {
  /** Steps that are still executed. */
  readonly after: number
  /** Where the store is left as the crash found it; the old file stays with the dead process. */
  readonly leaveAt: string
  /** 0 to 1: so much of what the last commit wrote is there; 1: all of it. */
  readonly written?: number
  readonly onCrash?: () => void
}

/**
 * Kills the process that has the store open, as far as its disk can tell: behind `after` steps, nothing more reaches the store, and
 * what was there is at `leaveAt`.
 */
export const crashStore = (path: string, plan: CrashPlan): void => {
  const { leaveAt, written = 1 } = plan
  let left = plan.after
  let isDead = false
  const crash = (): never => {
    isDead = true
    plan.onCrash?.()
    throw new SimulatedCrash('the process was killed')
  }
  watchStore(path, ({ sql, execute }) => {
    // The code of the dead process still runs, and may clean up what nobody will see.
    if (isDead && sql.startsWith('ROLLBACK')) return execute()
    if (isDead) throw new SimulatedCrash('the process was killed before')
    if (left > 0) {
      left--
      if (left > 0 || sql !== 'COMMIT' || written === 1) return execute()
      const before = sizeOf(walOf(path))
      execute()
      copyStore(path, leaveAt)
      const after = sizeOf(walOf(leaveAt))
      if (after > before) truncateSync(walOf(leaveAt), before + Math.floor((after - before) * written))
      return crash()
    }
    copyStore(path, leaveAt)
    return crash()
  })
}

/** Steps that `work` makes in the store. */
export const stepsOf = async (path: string, work: () => Promise<unknown>): Promise<string[]> => {
  const steps: string[] = []
  watchStore(path, ({ sql, execute }) => {
    steps.push(sql)
    return execute()
  })
  try {
    await work()
  } finally {
    unwatchStore(path)
  }
  return steps
}
