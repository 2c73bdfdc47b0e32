import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const text = readFileSync('docs/security.md', 'utf8')

interface Row {
  readonly cells: readonly string[]
  /** Tests by their files, each with the titles that the row gives of it. */
  readonly tests: readonly { readonly file: string; readonly titles: readonly string[] }[]
}

/** `file` or `file` ("a title", "another"). */
const named = /`((?:unit|integration|hosts|attacks|conformance|faults|simulation)\/[\w./-]+\.ts)`(?: \(("[^)]*")\))?/g

const testsIn = (cell: string): Row['tests'] =>
  [...cell.matchAll(named)].map(([, file = '', titles = '']) => ({
    file,
    titles: [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title)
  }))

/** Rows of all tables, without their heads. */
const rows: Row[] = text
  .split('\n')
  .filter((line, at, all) => line.startsWith('| ') && !all[at + 1]?.startsWith('|---'))
  .map((line) => line.slice(1, -1).split(/(?<!\\)\|/))
  .map((cells) => ({ cells: cells.map((cell) => cell.trim()), tests: testsIn(cells.at(-1) ?? '') }))

const sourceOf = (file: string): string => {
  const path = join('test', file)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

const isTest = /\b(?:it|test|attack)\b[.(]/

/** Tells whether a file has this title, as it is written there. */
const hasTitle = (file: string, title: string): boolean => {
  const source = sourceOf(file)
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title.replaceAll(quote, `\\${quote}`)}${quote}`))
}

describe('docs/security.md', () => {
  it('says for each row which test holds it', () => {
    expect(rows.length).toBeGreaterThan(150)
    expect(rows.filter(({ tests }) => tests.length === 0).map(({ cells }) => cells[0])).toEqual([])
  })

  it('names files that are there, and of most attacks the titles', () => {
    const all = rows.flatMap(({ tests }) => tests)
    expect(all.filter(({ file }) => !isTest.test(sourceOf(file))).map(({ file }) => file)).toEqual([])
    const wrong = all.flatMap(({ file, titles }) =>
      titles.filter((title) => !hasTitle(file, title)).map((title) => `${file}: ${title}`)
    )
    expect(wrong).toEqual([])
    const attacks = all.filter(({ file }) => file.startsWith('attacks/'))
    const untitled = attacks.filter(({ titles }) => titles.length === 0).map(({ file }) => file)
    expect({ untitled, areFew: 10 * untitled.length < attacks.length }).toMatchObject({ areFew: true })
  })

  it('names every attack', () => {
    const files = globSync('attacks/**/*.test.ts', { cwd: 'test' })
    expect(files.filter((file) => !text.includes(`\`${file}\``))).toEqual([])
  })
})

it('has a control in each file of attacks, which shows that they can fail', () => {
  const files = globSync('**/*.test.ts', { cwd: 'test' }).filter((file) => /^\s*attack\(/m.test(sourceOf(file)))
  expect(files.length).toBeGreaterThan(50)
  expect(files.filter((file) => !/^\s*control\(/m.test(sourceOf(file)))).toEqual([])
})
