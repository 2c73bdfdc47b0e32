import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../helpers/temp.ts'

const run = (program: string, ...given: string[]): void => {
  execFileSync(program, given, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Why the power cannot be cut here; undefined: it can. */
export const whyNoPowerCuts = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    run('mkfs.xfs', '-V')
    using folder = tempFolder()
    mounted('tmpfs', folder.path, '-t', 'tmpfs')[Symbol.dispose]()
    return undefined
  } catch (error) {
    return `needs mkfs.xfs (Debian's xfsprogs) and the right to mount: ${String(error).split('\n')[0]}`
  }
}

const mounted = (device: string, at: string, ...options: string[]): Disposable => {
  mkdirSync(at, { recursive: true })
  run('mount', ...options, device, at)
  return { [Symbol.dispose]: () => run('umount', '-l', at) }
}

/**
 * A disk in a file on a file system that can clone files: a clone, made at once, is what the disk holds when the power goes. It keeps the
 * order of writes: a disk that lies about flushes is not modelled.
 */
export class Disk implements Disposable {
  /** Where it is mounted. */
  readonly path: string
  readonly #at: (name: string) => string
  readonly #owned = new DisposableStack()

  constructor() {
    const folder = this.#owned.use(tempFolder())
    const at = (name: string): string => join(folder.path, name)
    this.#at = at
    this.path = at('disk')
    run('truncate', '-s', '2G', at('pool.img'))
    run('mkfs.xfs', '-q', '-m', 'reflink=1', at('pool.img'))
    this.#owned.use(mounted(at('pool.img'), at('pool'), '-o', 'loop'))
    run('truncate', '-s', '256M', at('pool/disk.img'))
    run('mkfs.ext4', '-q', '-F', at('pool/disk.img'))
    this.#owned.use(mounted(at('pool/disk.img'), this.path, '-o', 'loop'))
  }

  /** What was written so far is on it. */
  flush(): void {
    run('sync', '-f', this.path)
  }

  /** As a disk that reports an error: from now on it can be read alone. */
  fail(): void {
    run('mount', '-o', 'remount,abort', this.path)
  }

  /**
   * Mounts a copy of it, which can be written: the failed one stays as it is for as long as any mount namespace of the machine has it, and
   * would be given again. Whoever has a file of it open must have ended.
   */
  repair(): void {
    run('umount', this.path)
    run('cp', '--reflink=always', this.#at('pool/disk.img'), this.#at('pool/repaired.img'))
    run('mount', '-o', 'loop', this.#at('pool/repaired.img'), this.path)
  }

  /** Cuts the power of a copy, and mounts that, which repairs its file system as a start would. */
  async cut(judge: (path: string) => Promise<void>): Promise<void> {
    const at = this.#at
    run('cp', '--reflink=always', at('pool/disk.img'), at('pool/cut.img'))
    {
      using _ = mounted(at('pool/cut.img'), at('cut'), '-o', 'loop')
      await judge(at('cut'))
    }
    rmSync(at('pool/cut.img'))
  }

  [Symbol.dispose](): void {
    this.#owned.dispose()
  }
}
