import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** Calls that end when the disk has taken something. */
const waits = (source: string): string[] =>
  source.match(/\b(?:(?:fsync|fdatasync|mkdir|open|write|writeFile|rename|copyFile|truncate)Sync|syncFolderOf)\(/g) ??
  []

test('no store holds the process while the disk takes something: heartbeats would wait, too', () => {
  // Control: what such a call looks like.
  expect(waits('await sync(x)\nfsyncSync(file)\nsyncFolderOf(path)\nawait mkdir(x)')).toEqual([
    'fsyncSync(',
    'syncFolderOf('
  ])
  for (const folder of ['src/content', 'src/node/stores'])
    for (const name of readdirSync(folder))
      expect([name, waits(readFileSync(join(folder, name), 'utf8'))]).toEqual([name, []])
})
