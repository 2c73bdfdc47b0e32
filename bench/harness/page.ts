import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, BenchmarkResult } from './benchmark.ts'
import { markdownTable } from './table.ts'

/** Where the written part of a page begins and ends. */
export interface Marks {
  readonly begin: string
  readonly end: string
}

const marks: Marks = {
  begin: '<!-- results: written by `npm run bench`; do not edit -->',
  end: '<!-- end of results -->'
}

export const readResults = (folder: string): Map<string, BenchmarkResult> => {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : []
  return new Map(
    files.map((file) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this program
      const result = JSON.parse(readFileSync(join(folder, file), 'utf8')) as BenchmarkResult
      return [result.name, result]
    })
  )
}

/** Tells whether a commit is in the history of what lies here. */
type IsKnown = (commit: string) => boolean

/** The reason why nobody can say which source a result is of; undefined: it is of a commit of this history. */
const doubt = ({ name, commit }: BenchmarkResult, isKnown: IsKnown): string | undefined => {
  const again = `to be measured again (\`npm run bench -- ${name}\`)`
  if (/ /.test(commit)) return `The source was changed since that commit: ${again}.`
  return isKnown(commit) ? undefined : `That commit is not in the history: ${again}.`
}

/** A result with the words of its time: how it is measured today may be another way. */
export const resultSection = (result: BenchmarkResult, isKnown: IsKnown): string => {
  const { title, how, rounds, date, machine, commit, command } = result
  const doubted = doubt(result, isKnown)
  const mark = doubted === undefined ? '' : `\n\n**${doubted}**`
  return `### ${title}

${how}

${markdownTable(result)}

\`${command}\` · ${rounds} rounds · ${date} · ${machine} · ${commit}${mark}`
}

const section = ({ name, title, how }: Benchmark, result: BenchmarkResult | undefined, isKnown: IsKnown): string =>
  result === undefined
    ? `### ${title}\n\n${how}\n\nNot measured yet: \`npm run bench -- ${name}\`.`
    : resultSection(result, isKnown)

/** Puts a text between the two marks of a page; what people wrote around them stays. */
export function putBetween(page: string, { begin, end }: Marks, text: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the page has no place for the results (${begin} … ${end})`)
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`
}

/** Puts the results into the page. */
export function renderPage(
  path: string,
  benchmarks: readonly Benchmark[],
  results: Map<string, BenchmarkResult>,
  isKnown: IsKnown
): void {
  const sections = benchmarks.map((benchmark) => section(benchmark, results.get(benchmark.name), isKnown))
  writeFileSync(path, putBetween(readFileSync(path, 'utf8'), marks, sections.join('\n\n')))
}
