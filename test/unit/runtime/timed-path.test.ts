import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { timedPath } from '../../../src/runtime/files/timed-path.ts'

const folder = mkdtempSync(join(tmpdir(), 'trustnet-timed-path-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('gives each file of one millisecond a name of its own, in order, and takes the place of none', () => {
  const named: string[] = []
  for (let made = 0; made < 3; made++) {
    const path = timedPath(1_700_000_000_999, (stamp) => join(folder, `registry-${stamp}.db`))
    writeFileSync(path, String(made), { flag: 'wx' })
    named.push(path.slice(folder.length + 1))
  }
  expect(named).toEqual([
    'registry-20231114T221320999Z.db',
    'registry-20231114T221321000Z.db',
    'registry-20231114T221321001Z.db'
  ])
})
