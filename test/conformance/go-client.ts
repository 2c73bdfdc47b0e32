import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = new URL('go/', import.meta.url).pathname
/** Of `go 1.N` in go.mod. */
const leastGo = 23
/** Go in PATH, of the version that go.mod asks for. */
export const hasGo = ((): boolean => {
  const { stdout } = spawnSync('go', ['version'], { cwd: folder, encoding: 'utf8', timeout: 60_000 })
  return Number(/\bgo1\.(\d+)/.exec(stdout)?.[1] ?? 0) >= leastGo
})()

/** What the Go client reads its messages from. */
export const registryProto = new URL('../../src/registry/pb/registry.proto', import.meta.url).pathname

/** Path of the built client; undefined, with a word why, where Go or its modules are missing. */
export function buildGoClient(): string | undefined {
  const has = (args: string[]): boolean => spawnSync('go', args, { cwd: folder, timeout: 60_000 }).status === 0
  const missing = !hasGo
    ? `Go 1.${leastGo} or newer`
    : !has(['mod', 'download'])
      ? 'the modules of test/conformance/go'
      : undefined
  if (missing !== undefined) {
    process.stderr.write(`the client in Go is skipped: needs ${missing}\n`)
    return undefined
  }
  const path = join(mkdtempSync(join(tmpdir(), 'trustnet-go-')), 'client')
  execFileSync('go', ['build', '-tags', 'client', '-o', path, '.'], { cwd: folder })
  return path
}
