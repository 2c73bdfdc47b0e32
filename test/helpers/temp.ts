import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone with its owner. */
export const tempFolder = (parent = tmpdir()): Disposable & { readonly path: string } => {
  const path = mkdtempSync(join(parent, 'trustnet-test-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** In memory where the system has a place for that: for stores that are made by the thousand and need no disk that flushes. */
export const memoryFolder = (): Disposable & { readonly path: string } =>
  tempFolder(existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
