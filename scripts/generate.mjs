// Compiles every src/**/pb/*.proto to TypeScript beside it. --check compares instead of writing, and fails on a difference.
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const check = process.argv.includes('--check')
const stale = []
for (const proto of globSync('src/**/pb/*.proto')) {
  const target = proto.replace(/\.proto$/, '.ts')
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-pb-'))
  try {
    cpSync(proto, join(folder, basename(proto)))
    execFileSync('protons', ['--output', folder, join(folder, basename(proto))], { stdio: 'inherit' })
    const made = join(folder, basename(target))
    // Buffers are Uint8Array<ArrayBufferLike>: the narrower type that protons writes would need a copy or a cast at every call.
    // The decoder passes `limits: undefined`, which exactOptionalPropertyTypes forbids; the declared types are checked where they are used.
    const text = `// @ts-nocheck\n${readFileSync(made, 'utf8').replaceAll('Uint8Array<ArrayBuffer>', 'Uint8Array')}`
    if (!check) writeFileSync(target, text)
    else if (text !== safeRead(target)) stale.push(target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
if (stale.length > 0) {
  process.stderr.write(`out of date: ${stale.join(', ')}\nrun: npm run generate\n`)
  process.exit(1)
}

function safeRead(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
