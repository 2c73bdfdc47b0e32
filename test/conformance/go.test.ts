import { spawnSync } from 'node:child_process'
import { cpSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hungMs } from '../helpers/ceiling.ts'
import { tempFolder } from '../helpers/temp.ts'
import { hasGo } from './go-client.ts'

const folder = new URL('go/', import.meta.url).pathname
const vectors = new URL('../fixtures/vectors/', import.meta.url).pathname

const verify = (files: string) => {
  const args = ['run', '.', files, '../../../src/registry/pb/registry.proto']
  const { stdout } = spawnSync('go', args, { cwd: folder, encoding: 'utf8', timeout: hungMs })
  return stdout
}

test.skipIf(!hasGo)('a verifier in Go, made from the pages and the .proto alone, agrees with all vectors', () => {
  const said = verify(vectors)
  expect(said).toMatch(/^\d+ checks, 0 failures\n$/)
  expect(Number.parseInt(said, 10)).toBeGreaterThan(1400)
})

test('it reads every file of vectors', () => {
  const source = globSync('*.go', { cwd: folder }).map((file) => readFileSync(join(folder, file), 'utf8'))
  const names = readdirSync(vectors).map((file) => file.replace('.json', ''))
  expect(names.filter((name) => !source.join('').includes(`"${name}"`))).toEqual([])
})

test.skipIf(!hasGo)('it finds a frame that says something else than stands beside it', () => {
  using copy = tempFolder()
  cpSync(vectors, copy.path, { recursive: true })
  const file = join(copy.path, 'exchanges.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"state": 3', '"state": 4'))
  expect(verify(copy.path)).toMatch(/hints have a number.*state.*1 failures/s)
})
