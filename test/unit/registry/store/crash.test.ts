import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../../src/registry/store/database.ts'
import { quickCheck } from '../../../../src/registry/store/store-checks.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const moduleAt = (path: string): string => new URL(`../../../../src/registry/store/${path}`, import.meta.url).href

/** Writes numbered rows, 16 at a time, and prints each number once its write has resolved. */
const writer = `
const { openDatabase } = await import('${moduleAt('database.ts')}')
const { GroupCommit } = await import('${moduleAt('group-commit.ts')}')
const db = openDatabase(process.argv[1])
const commit = new GroupCommit(db)
const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)')
for (let n = 0; ; n += 16) {
  await Promise.all(Array.from({ length: 16 }, async (_, i) => {
    await commit.write(() => put.run(String(n + i), new Uint8Array(100)))
    process.stdout.write(n + i + '\\n')
  }))
}`

describe('a process that is killed while it writes', () => {
  it('has lost nothing that it was told is durable, and leaves a store that opens', async () => {
    using folder = tempFolder()
    const path = join(folder.path, 'registry.db')
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let told = ''
    for await (const chunk of child.stdout) {
      told += String(chunk)
      if (told.length > 5000) child.kill('SIGKILL')
    }
    // The last line may be cut off.
    const acknowledged = told.slice(0, told.lastIndexOf('\n')).split('\n')
    expect(acknowledged.length).toBeGreaterThan(1000)
    const db = openDatabase(path)
    quickCheck(db, path)
    const keys = new Set(db.prepare('SELECT key FROM meta').pluck().all())
    db.close()
    expect(acknowledged.filter((key) => !keys.has(key))).toEqual([])
  })
})
