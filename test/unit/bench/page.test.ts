import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Benchmark, BenchmarkResult } from '../../../bench/harness/benchmark.ts'
import { hasWholeHistory, isInHistory } from '../../../bench/harness/machine.ts'
import { readResults, renderPage, resultSection } from '../../../bench/harness/page.ts'
import { tempFolder } from '../../helpers/temp.ts'

const benchmark: Benchmark = {
  name: 'tea',
  title: 'Tea, today',
  how: 'With a kettle.',
  parameters: {},
  quick: {},
  prepare: () => Promise.reject(new Error('it is not measured here'))
}

const result = (commit: string): BenchmarkResult => ({
  name: 'tea',
  title: 'Tea',
  how: 'On a fire.',
  rounds: 5,
  parameters: {},
  command: 'npm run bench -- tea',
  date: '2026-01-02',
  machine: 'one hob',
  commit,
  rows: [{ what: 'a cup', median: 3, min: 3, max: 3, unit: 'min', beside: [] }]
})

const rendered = (results: readonly BenchmarkResult[], known: readonly string[]): string => {
  using folder = tempFolder()
  const path = join(folder.path, 'page.md')
  writeFileSync(
    path,
    'Before.\n\n<!-- results: written by `npm run bench`; do not edit -->\n<!-- end of results -->\n\nAfter.\n'
  )
  renderPage(path, [benchmark], new Map(results.map((each) => [each.name, each])), (commit) => known.includes(commit))
  return readFileSync(path, 'utf8')
}

describe('the page of the benchmarks', () => {
  it('says of a result how it was measured then, and of a row without one how it is measured today', () => {
    const page = rendered([result('abc1234')], ['abc1234'])
    expect(page).toContain('### Tea\n\nOn a fire.\n\n| what |')
    expect(page).not.toContain('With a kettle.')
    expect(page).not.toContain('to be measured again')
    expect(page).toMatch(/^Before\..*After\.\n$/s)
    expect(rendered([], [])).toContain('### Tea, today\n\nWith a kettle.\n\nNot measured yet: `npm run bench -- tea`.')
  })

  it('marks a result whose source nobody can name', () => {
    const changed = rendered([result('abc1234 with changes')], ['abc1234', 'abc1234 with changes'])
    expect(changed).toContain('**The source was changed since that commit: to be measured again')
    const foreign = rendered([result('abc1234')], ['def5678'])
    expect(foreign).toContain('**That commit is not in the history: to be measured again (`npm run bench -- tea`).**')
  })

  it('is in the repository as the results that are kept make it', () => {
    const page = readFileSync('docs/benchmarks.md', 'utf8')
    const isWhole = hasWholeHistory()
    for (const kept of readResults(join('bench', 'results')).values()) {
      const sections = isWhole
        ? [resultSection(kept, isInHistory)]
        : [true, false].map((known) => resultSection(kept, () => known))
      expect({ name: kept.name, isThere: sections.some((text) => page.includes(`${text}\n\n`)) }).toEqual({
        name: kept.name,
        isThere: true
      })
    }
  })
})
