import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const manifest = z
  .object({
    name: z.string(),
    bin: z.record(z.string(), z.string()),
    exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
    dependencies: z.record(z.string(), z.string())
  })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')))

const packed = (): Set<string> => {
  const report = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
  const [tarball] = z.array(z.object({ files: z.array(z.object({ path: z.string() })) })).parse(JSON.parse(report))
  return new Set(tarball?.files.map(({ path }) => path))
}

/** Every declaration that a program sees that imports `entry`, and the packages that these name. */
function reachable(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const queue = [normalize(entry)]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue
    files.add(file)
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"]([^'"]+)['"]/g)) {
      if (from.startsWith('.')) queue.push(join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')))
      else if (!from.startsWith('node:')) packages.add(from.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? from)
    }
  }
  return { files, packages }
}

const hasTypes = (name: string): boolean => {
  const folder = join('node_modules', name)
  const own = readFileSync(join(folder, 'package.json'), 'utf8')
  return own.includes('"types"') || existsSync(join(folder, 'index.d.ts'))
}

describe('the package', () => {
  it('holds the program, the library with its types, the messages, the vectors and the pages', () => {
    const files = packed()
    const due = [
      ...Object.values(manifest.bin),
      ...Object.values(manifest.exports).flatMap((entry) => [entry.types, entry.default].map(normalize)),
      ...globSync('src/**/*.proto'),
      ...globSync('test/fixtures/vectors/*.json'),
      ...globSync('docs/**/*.md')
    ]
    expect(due.filter((path) => !files.has(path))).toEqual([])
    expect([...files].filter((path) => /\.(key|db)$|^dist\/(test|bench)|node_modules/.test(path))).toEqual([])
  })

  it.each(Object.entries(manifest.exports))('brings along all that the types of %s name', (_path, { types }) => {
    const { files, packages } = reachable(types)
    expect(files.size).toBeGreaterThan(5)
    const named = [...packages].map((name) => (hasTypes(name) ? name : `@types/${name.replace(/^@(.+)\//, '$1__')}`))
    expect([...packages, ...named].filter((name) => manifest.dependencies[name] === undefined)).toEqual([])
  })

  it('is found by its name, with all that the README uses', () => {
    const print = "import('trustnet').then((all) => console.log(JSON.stringify(Object.keys(all))))"
    const exported: unknown = JSON.parse(execFileSync(process.execPath, ['-e', print], { encoding: 'utf8' }))
    expect(exported).toEqual(expect.arrayContaining(['createNode', 'parseConfig', 'createNetworkHere', 'decodeInvite']))
  })
})
