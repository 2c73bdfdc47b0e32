import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { tempFolder } from '../helpers/temp.ts'

const protocols = readdirSync('src/protocols').filter((folder) => folder !== 'engine')

/** Imports that break a layer, by the folder that they are planted in. */
const forbidden: [string, string[]][] = [
  ['src/runtime', ['../identity/x.ts', '../address/x.ts', '../registry/x.ts', '../node/x.ts', 'node:net', 'libp2p']],
  ['src/identity', ['../address/x.ts', '../registry/x.ts', '../protocols/x.ts', '../cli/x.ts', 'better-sqlite3']],
  ['src/address', ['../registry/x.ts', '../dns/x.ts', '../node/x.ts', 'node:dns', '@libp2p/tcp']],
  [
    'src/registry',
    [
      '../protocols/x.ts',
      '../content/x.ts',
      '../node/x.ts',
      '../cli/x.ts',
      '../dns/x.ts',
      'libp2p',
      '@libp2p/tcp',
      'better-sqlite3'
    ]
  ],
  ['src/registry/log', ['../../protocols/x.ts', '../../node/x.ts', 'node:net', 'better-sqlite3']],
  ['src/registry/store', ['../../protocols/x.ts', '../../node/x.ts', 'node:net', '@chainsafe/libp2p-noise']],
  ['src/protocols/engine', ['../../node/x.ts', '../../cli/x.ts', '../../dns/x.ts', 'libp2p', 'better-sqlite3']],
  ...['engine', ...protocols].map((folder): [string, string[]] => [
    `src/protocols/${folder}`,
    protocols.filter((other) => other !== folder).map((other) => `../${other}/x.ts`)
  ]),
  [
    'src/content',
    ['../address/x.ts', '../registry/x.ts', '../protocols/x.ts', '../node/x.ts', 'node:net', 'libp2p', 'better-sqlite3']
  ],
  [
    'src/dns',
    ['../registry/x.ts', '../registry/store/x.ts', '../protocols/x.ts', '../node/x.ts', '../cli/x.ts', 'libp2p']
  ],
  [
    'src/install/plan',
    [
      '../../cli/x.ts',
      '../../protocols/x.ts',
      '../../node/network-node.ts',
      '../../node/host/host.ts',
      '../../registry/log/replica.ts',
      'libp2p',
      'better-sqlite3'
    ]
  ],
  ['src/node/config', ['../../cli/x.ts', '../../install/x.ts', 'better-sqlite3']],
  [
    'src/cli/dev',
    ['../../protocols/x.ts', '../../registry/x.ts', '../../registry/store/keys.ts', 'libp2p', 'better-sqlite3']
  ]
]

const allowed: [string, string[]][] = [
  ['src/identity', ['../runtime/x.ts', '@libp2p/crypto/keys']],
  ['src/address', ['../runtime/x.ts', '../identity/x.ts']],
  ['src/registry/log', ['./state/x.ts', '../objects/x.ts', '../../identity/x.ts', '@libp2p/crypto/keys']],
  ['src/registry/store', ['better-sqlite3']],
  ['src/content', ['../runtime/x.ts', '../identity/x.ts', './pb/x.ts']],
  ['src/protocols/hello', ['../engine/x.ts', '../../registry/x.ts', './pb/x.ts']],
  ['src/node', ['../protocols/hello/x.ts', '../registry/x.ts', '../dns/x.ts', 'libp2p']],
  [
    'src/install/plan',
    ['../../node/config/index.ts', '../../node/api/client.ts', '../../dns/tnr.ts', '../../registry/objects/invite.ts']
  ],
  ['src/cli/dev', ['../../node/x.ts', '../../dns/x.ts', '../../identity/role.ts']]
]

/** What the linter says of files that import this and nothing else, as `folder <- import`. */
function refused(planted: [string, string[]][]): string[] {
  using folder = tempFolder()
  const files = new Map<string, string>()
  for (const [where, imports] of planted) {
    for (const from of imports) {
      const file = join(where, `planted-${files.size}.ts`)
      files.set(file, `${where} <- ${from}`)
      mkdirSync(join(folder.path, dirname(file)), { recursive: true })
      writeFileSync(join(folder.path, file), `export { planted } from '${from}'\n`)
    }
  }
  // Without types: there are none here, and no rule of layers needs them.
  const config = readFileSync('.oxlintrc.json', 'utf8').replace('"typeAware": true', '"typeAware": false')
  writeFileSync(join(folder.path, '.oxlintrc.json'), config)
  cpSync('package.json', join(folder.path, 'package.json'))
  const found = lint(folder.path)
  return [...files].filter(([file]) => found.has(file)).map(([, what]) => what)
}

function lint(cwd: string, rule = 'no-restricted-imports'): Set<string> {
  const report = (): string => {
    try {
      return execFileSync(resolve('node_modules/.bin/oxlint'), ['--format', 'json'], { cwd, encoding: 'utf8' })
    } catch (error) {
      // It ends with 1 when it finds something.
      if (error instanceof Error && 'stdout' in error) return String(error.stdout)
      throw error
    }
  }
  const { diagnostics }: { diagnostics: { code: string; filename: string }[] } = JSON.parse(report())
  return new Set(diagnostics.filter(({ code }) => code.includes(rule)).map(({ filename }) => filename))
}

it('the linter refuses each import that breaks a layer', () => {
  const all = forbidden.flatMap(([where, imports]) => imports.map((from) => `${where} <- ${from}`))
  expect(refused(forbidden)).toEqual(all)
})

it('the linter lets through what the layers allow', () => {
  expect(refused(allowed)).toEqual([])
})

it('no folder of the source, of the tests and of the benchmarks holds more than 20 files', () => {
  const folders = Map.groupBy(globSync('{src,test,bench}/**/*.{ts,mjs,py}'), (file) => dirname(file))
  expect([...folders].filter(([, { length }]) => length > 20).map(([folder]) => folder)).toEqual([])
})

/** Files that import each other in a circle, for their types or when something is called alone, too. */
function circlesIn(texts: ReadonlyMap<string, string>): string[][] {
  const imports = new Map(
    [...texts].map(([file, text]) => {
      const named = [...text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path = '']) =>
        join(dirname(file), path)
      )
      return [file, named.filter((path) => texts.has(path))]
    })
  )
  const reachable = new Map(
    [...imports].map(([file, first]) => {
      const found = new Set(first)
      for (const each of found) for (const next of imports.get(each) ?? []) found.add(next)
      return [file, found]
    })
  )
  const inCircle = [...reachable].filter(([file, found]) => found.has(file)).map(([file]) => file)
  const byOthers = Map.groupBy(inCircle, (file) =>
    inCircle.filter((other) => reachable.get(file)?.has(other) && reachable.get(other)?.has(file)).join()
  )
  return [...byOthers.values()]
}

it('no files import each other in a circle, not even for their types or when they are called', () => {
  const files = globSync('{src,bin}/**/*.ts')
  expect(circlesIn(new Map(files.map((file) => [file, readFileSync(file, 'utf8')])))).toEqual([])
  const planted = {
    'a/one.ts': "const two = async () => await import('./two.ts')",
    'a/two.ts': "import type { Three } from '../b/three.ts'",
    'b/three.ts': "export { one } from '../a/one.ts'",
    'b/four.ts': "import '../a/one.ts'"
  }
  expect(circlesIn(new Map(Object.entries(planted)))).toEqual([['a/one.ts', 'a/two.ts', 'b/three.ts']])
})

it('no two tests are the same file', () => {
  const tests = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'))
  const byText = Map.groupBy(tests, (file) => readFileSync(join('test', file), 'utf8'))
  expect([...byText.values()].filter(({ length }) => length > 1)).toEqual([])
})

it('the linter refuses work that nobody waits for and whose failure nobody hears', () => {
  using folder = tempFolder()
  const files = {
    'src/node/statement.ts': 'void work()',
    'src/protocols/arrow.ts': 'setInterval(() => void work(), 1)',
    'bin/arrow.ts': 'process.on("exit", () => void work())'
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(folder.path, dirname(file)), { recursive: true })
    writeFileSync(join(folder.path, file), `const work = async () => {}\n${text}\nexport {}\n`)
  }
  const config = readFileSync('.oxlintrc.json', 'utf8')
  // The same without `void`: the rule needs types, which are not here.
  expect(JSON.parse(config).rules).toMatchObject({
    'typescript/no-floating-promises': ['error', { ignoreVoid: false }]
  })
  writeFileSync(join(folder.path, '.oxlintrc.json'), config.replace('"typeAware": true', '"typeAware": false'))
  expect([...lint(folder.path, 'no-void')].toSorted()).toEqual(Object.keys(files).toSorted())
})
