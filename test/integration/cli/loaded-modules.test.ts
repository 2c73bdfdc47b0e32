import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProgram } from '../../helpers/built-program.ts'
import { tempFolder } from '../../helpers/temp.ts'

/** Counts the files that the program loads, at its end. */
const counter = `
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
let files = 0
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files++
    return next(url, context)
  }
})
process.on('exit', () => writeFileSync(process.env.COUNT_FILE, String(files)))
`

/** Loading is most of what a short command costs: some 0.5 ms of CPU a file. All commands together are several hundred. */
const most = 120

test.each([
  [['version']],
  [['--version']],
  [['completion', 'bash']],
  [['complete', '--', 'why', '']],
  [['peers']],
  [['status']]
])('%j loads few files', async (argv) => {
  using folder = tempFolder()
  const hooks = join(folder.path, 'count.mjs')
  const counted = join(folder.path, 'count')
  writeFileSync(hooks, counter)
  const env = { NODE_OPTIONS: `--import ${hooks}`, COUNT_FILE: counted, TRUSTNET_HOME: folder.path }
  await runProgram(argv, env)
  const files = Number(readFileSync(counted, 'utf8'))
  expect(files).toBeGreaterThan(3)
  expect(files).toBeLessThan(most)
})
