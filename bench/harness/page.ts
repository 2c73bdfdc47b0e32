import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, BenchmarkResult } from './benchmark.ts'
import { markdownTable } from './table.ts'

const begin = '<!-- results: written by `npm run bench`; do not edit -->'
const end = '<!-- end of results -->'

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

const section = ({ name, title, how }: Benchmark, result: BenchmarkResult | undefined): string => {
  const head = `### ${title}\n\n${how}`
  if (result === undefined) return `${head}\n\nNot measured yet: \`npm run bench -- ${name}\`.`
  const { rounds, date, machine, commit, command } = result
  return `${head}

${markdownTable(result)}

\`${command}\` · ${rounds} rounds · ${date} · ${machine} · ${commit}`
}

/** Puts the results into the page; what people wrote around them stays. */
export function renderPage(
  path: string,
  benchmarks: readonly Benchmark[],
  results: Map<string, BenchmarkResult>
): void {
  const page = readFileSync(path, 'utf8')
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${path} has no place for the results (${begin} … ${end})`)
  const sections = benchmarks.map((benchmark) => section(benchmark, results.get(benchmark.name)))
  writeFileSync(path, `${page.slice(0, from)}${begin}\n\n${sections.join('\n\n')}\n\n${page.slice(to)}`)
}
