import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { benchmarks } from './benchmarks.ts'
import { type Bench, type Benchmark, type BenchmarkResult, SkippedError } from './harness/benchmark.ts'
import { commit, machine } from './harness/machine.ts'
import { readResults, renderPage } from './harness/page.ts'
import { runRounds } from './harness/rounds.ts'
import { textTable } from './harness/table.ts'

const resultsFolder = join('bench', 'results')
const page = join('docs', 'benchmarks.md')

interface Options {
  rounds: string
  quick?: boolean
  save?: boolean
  render?: boolean
  folder: string
  set: string[]
}

const collect = (value: string, before: string[]): string[] => [...before, value]

const program = new Command('npm run bench --')
  .description('measures TrustNet beside what the machine allows')
  .argument('[names...]', `which: ${benchmarks.map(({ name }) => name).join(', ')}; all without one`)
  .option('--rounds <count>', 'rounds of each', '5')
  .option('--quick', 'small parameters, to see that it works; the results are not kept')
  .option('--set <parameter=number>', 'change a parameter (may be repeated); the results are not kept', collect, [])
  .option('--save', 'keep the results in spite of --quick or --set')
  .option('--render', 'write the page from the results that are kept, and measure nothing')
  .option('--folder <path>', 'where the stores are made: on the disk that counts', tmpdir())

/** Numbers of `--set` by name. */
function changesOf({ set }: Options): Record<string, number> {
  return Object.fromEntries(
    set.map((pair) => {
      const [name = '', value = ''] = pair.split('=')
      if (name === '' || !/^\d+(\.\d+)?$/.test(value)) throw new Error(`--set ${pair}: write PARAMETER=NUMBER`)
      return [name, Number(value)]
    })
  )
}

function parametersOf(benchmark: Benchmark, options: Options): Record<string, number> {
  const changes = changesOf(options)
  const known = Object.entries(changes).filter(([name]) => name in benchmark.parameters)
  return { ...benchmark.parameters, ...(options.quick === true && benchmark.quick), ...Object.fromEntries(known) }
}

const commandOf = (name: string, { set, rounds, quick }: Options): string => {
  const words = [`npm run bench -- ${name}`, ...set.map((pair) => `--set ${pair}`)]
  if (rounds !== '5') words.push(`--rounds ${rounds}`)
  if (quick === true) words.push('--quick')
  return words.join(' ')
}

async function measure(benchmark: Benchmark, options: Options): Promise<BenchmarkResult | undefined> {
  const { name, title, how } = benchmark
  const parameters = parametersOf(benchmark, options)
  const rounds = Number(options.rounds)
  const folder = mkdtempSync(join(options.folder, 'trustnet-bench-'))
  const cache = join(options.folder, 'trustnet-bench-cache')
  mkdirSync(cache, { recursive: true })
  const progress = (text: string): void => void process.stderr.write(`${name}: ${text}\n`)
  const bench: Bench = { parameters, folder, cache, progress }
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const rows = await runRounds(benchmark, bench, rounds)
    remove()
    const date = new Date().toISOString().slice(0, 10)
    const command = commandOf(name, options)
    return { name, title, how, rounds, parameters, command, date, machine: machine(), commit: commit(), rows }
  } catch (error) {
    if (!(error instanceof SkippedError)) {
      progress(`failed; its stores and logs are in ${folder}`)
      throw error
    }
    progress(`skipped: ${error.message}`)
    remove()
    return undefined
  }
}

function wanted(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.find((name) => !benchmarks.some((each) => each.name === name))
  if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}: \`npm run bench -- --help\` lists them`)
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name))
}

async function main(): Promise<void> {
  program.parse()
  const options = program.opts<Options>()
  const keeps = options.save === true || (options.quick !== true && options.set.length === 0)
  mkdirSync(resultsFolder, { recursive: true })
  if (options.render !== true) {
    for (const benchmark of wanted(program.args)) {
      const result = await measure(benchmark, options)
      if (result === undefined) continue
      process.stdout.write(`\n${textTable(result)}\n`)
      if (keeps) writeFileSync(join(resultsFolder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
    }
  }
  if (keeps || options.render === true) renderPage(page, benchmarks, readResults(resultsFolder))
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
