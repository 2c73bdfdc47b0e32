import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const pages = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md')]
const textOf = (page: string): string => readFileSync(page, 'utf8')
const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }

describe.each(pages)('%s', (page) => {
  const text = textOf(page)

  it('links to pages that are there', () => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? '')
    expect(targets.filter((target) => !existsSync(join(dirname(page), target)))).toEqual([])
  })

  it('names tests that are there', () => {
    const named = [
      ...text.matchAll(/(?:test\/)?((?:unit|integration|hosts|attacks|conformance|faults|simulation)\/[\w./-]+\.ts)/g)
    ]
    expect(named.map(([, path]) => path ?? '').filter((path) => !existsSync(join('test', path)))).toEqual([])
  })

  it('names npm commands that are there', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map(([, script]) => script ?? '')
    expect(named.filter((script) => !(script in scripts))).toEqual([])
  })
})

it('lists in the README the Debian packages for the tests, as they are installed where the tests run', () => {
  const listIn = (page: string): string[] =>
    /apt-get install .*--no-install-recommends ([\w .+-]*\w)/.exec(textOf(page))?.[1]?.split(' ').toSorted() ?? []
  expect(listIn('.ci/run').length).toBeGreaterThan(15)
  expect(listIn('README.md')).toEqual(listIn('.ci/run'))
})

/** Words that make a riddle of the begin of a doc comment: it says what a thing is or gives, so a noun or a verb comes first. */
const riddle = /^(?:Of|What|Whether|Who|Whoever|Whose|Which|Where|Why|How|So (?:long|many|much|often)|For how)\b/

it('begins doc comments of the source with what a thing is or gives', () => {
  const files = globSync('{src,bin}/**/*.ts').filter((file) => !file.includes('/pb/'))
  const begins = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\/\*\*\s+(?:\* )?(.*)/g)].map(([, begin = '']) => ({ file, begin }))
  )
  expect(begins.filter(({ begin }) => riddle.test(begin))).toEqual([])
})

it('has every name of the library in the reference (npm run reference)', async () => {
  const index = textOf('src/index.ts')
  const named = [...index.matchAll(/export (?:type )?\{([^}]+)\}/g)]
    .filter(([line]) => !line.includes('* from'))
    .flatMap(([, list = '']) => list.split(',').map((name) => name.trim().replace(/^type /, '')))
  const errors = Object.keys(await import('../../src/runtime/errors.ts'))
  const headings = new Set([...textOf('docs/reference.md').matchAll(/^### (\w+)/gm)].map(([, name]) => name))
  expect(named.length).toBeGreaterThan(20)
  expect([...named, ...errors].filter((name) => name !== '' && !headings.has(name))).toEqual([])
})
