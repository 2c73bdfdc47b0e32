import { StoreError } from '../../runtime/errors.ts'
import { measured } from '../../runtime/trace.ts'
import type { Database, Statement } from './database.ts'
import { asStoreError } from './store-errors.ts'
import { StoreFiles } from './store-files.ts'

/** Writes of one transaction at most, so that a flood of them does not hold the event loop. */
const maxBatch = 1000
/** A write waits so long at most for others that are on their way: a flush costs about as much as verifying five records. */
const gatherMs = 2

interface Job {
  /** Gives what is due after the commit. */
  run: () => () => void
  reject: (error: unknown) => void
}

/**
 * All writes that are asked for in one tick, or while others are on their way, share one transaction, and so one flush to the disk. A write
 * resolves when it is durable.
 * Each runs in a savepoint of its own: one that throws is undone alone.
 */
export class GroupCommit {
  readonly #db: Database
  readonly #files: StoreFiles
  readonly #savepoint: Statement<[]>
  readonly #release: Statement<[]>
  #queue: Job[] = []
  #scheduled = false
  #closed = false
  #coming = 0
  #gathering: NodeJS.Timeout | undefined
  #failure: Error | undefined
  readonly #onHealth: (failure: Error | undefined) => void

  /** `onHealth` is called when commits begin to fail, for another reason, or go well again; `named`: the path by which it was opened. */
  constructor(db: Database, onHealth: (failure: Error | undefined) => void = () => {}, named = db.name) {
    this.#db = db
    this.#files = new StoreFiles(db.name, named)
    this.#onHealth = onHealth
    this.#savepoint = db.prepare('SAVEPOINT one')
    this.#release = db.prepare('RELEASE one')
  }

  /** The reason why the store took nothing when it was last written to; undefined: it did. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * `run` is called later, inside the transaction, in the order of the calls. It must be synchronous and change nothing but the database:
   * what it changes in memory would outlive a failing commit. Do that after the promise resolved.
   *
   * @throws what `run` throws; StoreError when the commit fails (disk full, I/O)
   */
  write<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('the store is closed: nothing can be written any more'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: () => withResult(run(), resolve), reject })
      this.#schedule()
    })
  }

  /** Announces work that leads to a write when it is done, such as the check of a signature: writes that wait may share its commit. */
  async before<T>(work: Promise<T>): Promise<T> {
    this.#coming++
    try {
      return await work
    } finally {
      this.#coming--
      if (this.#coming === 0 && this.#queue.length > 0) this.#commitSoon()
    }
  }

  /** Commits what is waiting and takes nothing more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#gathering)
    while (this.#queue.length > 0) this.#commit()
  }

  #schedule(): void {
    if (this.#coming === 0 || this.#queue.length >= maxBatch) this.#commitSoon()
    else this.#gathering ??= setTimeout(() => this.#commitSoon(), gatherMs)
  }

  #commitSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    clearTimeout(this.#gathering)
    setImmediate(() => {
      this.#scheduled = false
      this.#gathering = undefined
      this.#commit()
      if (this.#queue.length > 0) this.#schedule()
    })
  }

  #commit(): void {
    const jobs = this.#queue.splice(0, maxBatch)
    if (jobs.length === 0) return
    const db = this.#db
    const settle: (() => void)[] = []
    const begunAt = performance.now()
    try {
      this.#files.check()
      db.exec('BEGIN IMMEDIATE')
      for (const job of jobs) settle.push(this.#runOne(job))
      const flushedFrom = performance.now()
      db.exec('COMMIT')
      measured('commit', begunAt, { writes: jobs.length, flushMs: performance.now() - flushedFrom })
      this.#files.committed()
    } catch (error) {
      if (db.open && db.inTransaction) db.exec('ROLLBACK')
      const failure = asStoreError(error, db.name)
      measured('commit', begunAt, { writes: 0 }, failure)
      for (const job of jobs) job.reject(failure)
      this.#judge(failure)
      return
    }
    this.#judge(undefined)
    for (const done of settle) done()
  }

  #judge(failure: unknown): void {
    const before = this.#failure
    this.#failure = failure instanceof Error ? failure : undefined
    if (before?.message !== this.#failure?.message) this.#onHealth(this.#failure)
  }

  /** Gives what is due after the commit. Throws only when the whole transaction is lost. */
  #runOne(job: Job): () => void {
    const db = this.#db
    this.#savepoint.run()
    try {
      const done = job.run()
      this.#release.run()
      return done
    } catch (error) {
      // After some failures (disk full, I/O) SQLite has undone the whole transaction itself.
      if (!db.inTransaction) throw error
      db.exec('ROLLBACK TO one; RELEASE one')
      return () => job.reject(asStoreError(error, db.name))
    }
  }
}

const withResult = <T>(value: T, resolve: (value: T) => void): (() => void) => {
  if (value instanceof Promise)
    throw new TypeError('a write must be synchronous: nothing may run between it and the commit')
  return () => resolve(value)
}
