import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { schema } from '../../src/registry/store/schema.ts'
import type { PrepareMethods } from '../processes/prepare.ts'
import type { Bench } from './benchmark.ts'
import { Child } from './child.ts'
import type { NetworkSize } from './network.ts'

/** A copy of a network's store as its root has it. It is made once and kept in the cache. */
export async function networkFolder(bench: Bench, size: NetworkSize): Promise<string> {
  const { members, records, leased = false, open = false } = size
  const kinds = Object.entries({ records, leased, open }).flatMap(([kind, isSo]) => (isSo ? [`-${kind}`] : []))
  const name = `v${schema.version}-${members}${kinds.join('')}`
  const kept = join(bench.cache, name)
  if (!existsSync(kept)) {
    bench.progress(`making a network of ${members} members (kept in ${bench.cache})`)
    const folder = mkdtempSync(`${kept}.new-`)
    await using child = new Child<PrepareMethods>('prepare')
    await child.call('prepare', folder, size)
    keep(folder, kept)
  }
  const copy = mkdtempSync(join(bench.folder, 'net-'))
  cpSync(kept, copy, { recursive: true })
  return copy
}

/** Another process that made the same network meanwhile was first: its one is as good. */
function keep(folder: string, kept: string): void {
  try {
    renameSync(folder, kept)
  } catch (error) {
    if (!existsSync(kept)) throw error
    rmSync(folder, { recursive: true })
  }
}
