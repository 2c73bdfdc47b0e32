import { type BigIntStats, statSync } from 'node:fs'
import { StoreGoneError } from '../../runtime/errors.ts'

/** Identity of what lies at a path: which file, and for the database also its state, which SQLite changes inside of our own commits alone. */
type Seen = string | undefined

const stats = (path: string): BigIntStats | undefined => {
  try {
    return statSync(path, { bigint: true })
  } catch {
    // Gone, or its folder is: which of them is no matter.
    return undefined
  }
}

const fileAt = (path: string): Seen => {
  const found = stats(path)
  return found && `${found.dev}:${found.ino}`
}

const contentsAt = (path: string): Seen => {
  const found = stats(path)
  return found && `${found.size}:${found.mtimeNs}`
}

/**
 * The files of an open store: the ones at its paths must be those that are written to. A process goes on writing into a file that was removed
 * or replaced, and all that it promises ends with it.
 */
export class StoreFiles {
  readonly #path: string
  readonly #named: string
  readonly #file: Seen
  #contents: Seen
  #wal: Seen
  #gone: StoreGoneError | undefined

  /** `named`: the path that a next process would open, which may be a link to that of the files or lead through one. */
  constructor(path: string, named = path) {
    this.#path = path
    this.#named = named
    this.#file = fileAt(path)
    this.#contents = contentsAt(path)
  }

  /** Before a commit. @throws StoreGoneError, from the first time on for ever: what was written since is nowhere */
  check(): void {
    if (this.#gone === undefined && contentsAt(this.#path) !== this.#contents)
      this.#checkFiles('changed by another program')
    this.#checkFiles(undefined)
  }

  /** After a commit of our own. @throws StoreGoneError */
  committed(): void {
    this.#checkFiles(undefined)
    this.#contents = contentsAt(this.#path)
    // It is there from the first commit on, for as long as the store is open.
    this.#wal ??= fileAt(`${this.#path}-wal`)
  }

  #checkFiles(changed: string | undefined): void {
    this.#gone ??= this.#whatHappened(changed)
    if (this.#gone !== undefined) throw this.#gone
  }

  #whatHappened(changed: string | undefined): StoreGoneError | undefined {
    const [main, wal] = [fileAt(this.#path), fileAt(`${this.#path}-wal`)]
    if (main === undefined) return goneError(this.#path, 'removed or moved away')
    if (main !== this.#file) return goneError(this.#path, 'replaced by another file')
    const named = fileAt(this.#named)
    if (named !== this.#file)
      return goneError(this.#named, named === undefined ? 'removed or moved away' : 'replaced by another file')
    if (this.#wal !== undefined && wal !== this.#wal) {
      return goneError(`${this.#path}-wal`, wal === undefined ? 'removed or moved away' : 'replaced by another file')
    }
    return changed === undefined ? undefined : goneError(this.#path, changed)
  }
}

const goneError = (path: string, what: string): StoreGoneError =>
  new StoreGoneError(
    `${path} was ${what} while this process uses it: nothing more is stored or signed. ` +
      '`trustnet registry backup --to FILE` saves what this process still holds; then stop it, and start it with that (`trustnet registry restore FILE`)'
  )
