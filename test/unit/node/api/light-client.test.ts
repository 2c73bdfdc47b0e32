import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

/** What a module loads when it is run, packages and files, types left out. */
const loaded = (file: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type)[^']*from '([^']+)'/gm)) {
    if (from.startsWith('.')) loaded(join(dirname(file), from), seen)
    else seen.add(from)
  }
  return seen
}

test.each([
  'src/node/api/client.ts',
  'src/node/api/words.ts',
  'src/cli/output/exit.ts',
  'src/cli/output/status-text.ts'
])('%s loads no schemas: every command would pay for them', (file) => {
  expect([...loaded(file)]).not.toContain('zod')
  expect([...loaded('src/node/control/create-control.ts')]).toContain('zod')
})
