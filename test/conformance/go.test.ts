import { execFileSync, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const hasGo = spawnSync('go', ['version']).status === 0

test.skipIf(!hasGo)(
  'a verifier in Go, made from the pages and the .proto alone, agrees with all vectors that it reads',
  () => {
    const folder = new URL('go/', import.meta.url).pathname
    const args = ['run', '.', '../../fixtures/vectors', '../../../src/registry/pb/registry.proto']
    const said = execFileSync('go', args, { cwd: folder, encoding: 'utf8', timeout: 80_000 })
    expect(said).toMatch(/^\d+ checks, 0 failures\n$/)
    expect(Number.parseInt(said, 10)).toBeGreaterThan(400)
  }
)
